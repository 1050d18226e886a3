/** The worker's transaction: results in, claims out. */

import { failpoint } from "../../base/failpoint.ts";
import type { Claim, Finished, JobState } from "../../job/job.ts";
import type { BegunRun, Exchange } from "../store.ts";
import type { Database } from "./database.ts";
import { openTally, type Tally } from "./counters.ts";
import { sqlOn, take } from "./engine.ts";
import { settle } from "./settle_dependants.ts";
import { cancelRequests, standing } from "./processes.ts";
import {
  awaitStart,
  dateStarts,
  firstClaimable,
  type Limit,
  limitsOf,
  placesOf,
  tidyStarts,
} from "./claimable.ts";
import { recordAll } from "./record.ts";
import { allQueues } from "../queues.ts";
import { claimColumns, claimFromRow, number, type Row, text } from "../rows.ts";
import { nextNumber, setAside } from "./damaged_jobs.ts";
import { dropSignals, signalsFor } from "./signals.ts";

/** processing → what `next` says, for every run whose claim is the newest; then promotes what is due, then claims. */
export async function exchange(
  database: Database,
  worker: number,
  workerName: string,
  finished: readonly Finished[],
  want: number,
  begun: readonly BegunRun[] = [],
): Promise<Exchange> {
  if (finished.length === 0 && want === 0 && begun.length === 0) {
    return await database.read(() => {
      const { stop } = standing(database, worker);
      const cancel = cancelRequests(database, worker);
      return { claims: [], stale: [], cancel, signals: signalsFor(database, worker), stop };
    });
  }
  return await database.write(() => {
    const now = database.now();
    const tally = openTally(database);
    const stale = recordAll(database, workerName, finished, now, tally);
    if (finished.length > 0) {
      take(database, settle(sqlOn(database, tally), finished.map(({ seq }) => seq)));
      dropSignals(database);
      failpoint("recording");
    }
    if (begun.length > 0) dateStarts(database, begun, now);
    const { registered, stop, queues } = standing(database, worker);
    const cancel = cancelRequests(database, worker);
    const signals = signalsFor(database, worker);
    // A worker that was declared gone must not claim: its jobs would be taken for left behind.
    const claims = registered ? claim(database, worker, queues, want, now, tally) : [];
    tally.write();
    return { claims, stale, cancel, signals, stop };
  });
}

/** pending or failed → processing, attempts raised by one, for up to `want` jobs. */
function claim(
  database: Database,
  worker: number,
  queues: readonly string[] | null,
  want: number,
  now: number,
  tally: Tally,
): Claim[] {
  if (want === 0) return [];
  database.prepare(
    "UPDATE jobs SET available = (held = 0 AND blocked = 0), next_attempt_at = NULL WHERE next_attempt_at <= ?",
  ).run(now);
  const limits = limitsOf(database);
  // Read, then changed by their keys: an UPDATE with RETURNING takes three times as long, and gives them in no order.
  let rows: Row[] = [];
  // Nobody looks again soon where all that were found had to be set aside.
  for (let found = -1; rows.length === 0 && found !== 0;) {
    const first = next(database, limits, queues, want, now, tally);
    found = first.length;
    rows = setAside(database, first, now);
  }
  if (rows.length === 0) return [];
  const keys = rows.map((row) => number(row, "seq"));
  database.prepare(`
    UPDATE jobs SET state = 'processing', available = 0, attempts = ${nextNumber("attempts")},
      claim = ${nextNumber("claim")}, run = ${
    nextNumber("run")
  }, worker = ?1, started_at = ?2, updated_at = ?2
    WHERE seq IN (SELECT value FROM json_each(?3))`).run(
    worker,
    now,
    JSON.stringify(keys),
  );
  return rows.map((row) => {
    tally.move(row.state as JobState, "processing", 1, text(row, "queue"));
    for (const column of ["attempts", "claim", "run"]) {
      if (typeof row[column] === "number") row[column]++;
    }
    row.started_at = now;
    row.rated = limits.size > 0 && awaitStart(database, limits, row);
    return claimFromRow(row, now);
  });
}

/** What a worker of these queues (null: of all) may claim within all limits. */
function next(
  database: Database,
  limits: Map<string, Limit>,
  queues: readonly string[] | null,
  want: number,
  now: number,
  tally: Tally,
): Row[] {
  const columns = `${claimColumns}, state, priority`;
  if (limits.size === 0) return firstClaimable(database, want, columns, queues);
  // The counters say how many run.
  tally.write();
  const free = Math.min(want, placesOf(database, limits.get(allQueues), allQueues, now));
  return firstClaimable(database, free, columns, queues, (queue) => {
    const limit = limits.get(queue);
    if (limit !== undefined && limit.rate !== null) tidyStarts(database, limit, queue, now);
    return placesOf(database, limit, queue, now);
  });
}
