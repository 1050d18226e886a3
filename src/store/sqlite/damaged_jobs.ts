/** Jobs that a worker cannot claim because what would name their run is damaged. */

import { damaged, type Row } from "../columns.ts";
import { isClaimable } from "../rows.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { jobStates } from "../../job/job.ts";

/** A column raised by one, and no further than a number can be: SQLite would refuse more than 2^63. */
export const nextNumber = (column: string): string => `min(${column}, ${Number.MAX_SAFE_INTEGER - 1}) + 1`;

/**
 * Those of these jobs that can be claimed; the others become dead (any state → dead), with the reason as their last error,
 * and are told: else each look for work would find them again. To be called in a transaction.
 */
export function setAside(database: Database, rows: readonly Row[], now: number): Row[] {
  const others = rows.filter((row) => !isClaimable(row));
  if (others.length === 0) return rows as Row[];
  const tally = openTally(database);
  for (const row of others) {
    const error = damaged(["seq", "claim", "run", "id", "queue"].find((name) => !isRight(row, name))!, row);
    database.tellDamage(error);
    // The state is not read with a claim; who has one waits or runs.
    const { state, queue } = database.prepare("SELECT state, queue FROM jobs WHERE seq = ?").get(
      row.seq as bigint,
    )!;
    database.prepare(`
      UPDATE jobs SET state = 'dead', set_aside = 1, available = 0, worker = NULL, cancel_requested = NULL,
        started_at = NULL, last_error = ?, updated_at = ? WHERE seq = ?`).run(
      error.message,
      now,
      row.seq as bigint,
    );
    const from = jobStates.find((known) => known === state);
    if (from !== undefined && typeof queue === "string") tally.move(from, "dead", 1, queue);
  }
  tally.write();
  return rows.filter(isClaimable);
}

const isRight = (row: Row, name: string) =>
  name === "id" || name === "queue" ? typeof row[name] === "string" : Number.isSafeInteger(row[name]);
