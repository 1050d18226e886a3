/**
 * What keeps others from changing a queue while it moves: a lock on its tables, in a transaction that is left open while
 * the other store is read or written; then the seal.
 *
 * The seal is made of triggers, which refuse every change: so it costs nothing while there is none, and also binds
 * processes that are connected already.
 */

import type { Move } from "../transfer_types.ts";
import { beingMoved } from "../errors.ts";
import { number, text } from "../rows.ts";
import { type Database, quoteIdentifier, type Run } from "./connection/database.ts";
import { openTransaction } from "./connection/open_transaction.ts";

/** The move that was begun in this schema. */
export async function readBegun(run: Run): Promise<Move | null> {
  const [row] = await run("SELECT id, place, location FROM queuectl.moves WHERE direction = 'out'");
  return row === undefined
    ? null
    : { id: text(row, "id"), place: text(row, "place"), location: text(row, "location") };
}

/** The tables that others change, in the order in which a worker's transaction takes them. */
export const sealed = [
  "processes",
  "jobs",
  "attempts",
  "config",
  "queues",
  "starts",
  "tags",
  "dependencies",
  "signals",
].map((table) => `queuectl.${table}`);

/** Keeps everybody else from changing the queue, until the end of the transaction; reading goes on. */
export async function lock(run: Run): Promise<void> {
  await run(`LOCK TABLE ${sealed.join(", ")} IN EXCLUSIVE MODE`);
}

/** Begins a transaction that holds the lock. */
export async function openLocked(database: Database) {
  return await openTransaction(database, async (run) => {
    await lock(run);
    const begun = await readBegun(run);
    if (begun) throw beingMoved(database.options.location, begun.location);
  });
}

/** The number of rows. */
export async function count(run: Run, what: string): Promise<number> {
  const [row] = await run(`SELECT count(*) AS n FROM ${what}`);
  return number(row, "n");
}

/** The name of the table of jobs, as a parameter. */
export const jobsTable = ({ options }: Database) => `${quoteIdentifier(options.schema)}.jobs`;

/** The highest key that a job ever had. */
export async function lastSeq(database: Database, run: Run): Promise<number> {
  const [row] = await run(
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'seq')::regclass), 0) AS last",
    [jobsTable(database)],
  );
  return number(row, "last");
}
