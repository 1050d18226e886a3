/** Signals that wait to be delivered, as workers find and remove them. */

import { number, text } from "../rows.ts";
import type { SignalRequest } from "../store.ts";
import type { Database } from "./database.ts";

/** The signals for what a worker runs, oldest first. Read inside a transaction. */
export function signalsFor(database: Database, worker: number): SignalRequest[] {
  if (!areThere(database)) return [];
  return database.prepare(`
    SELECT signals.id, job, signals.run, name FROM signals JOIN jobs ON seq = job AND jobs.run = signals.run
    WHERE worker = ? ORDER BY signals.id`).all(worker).map((row) => ({
    id: number(row, "id"),
    seq: number(row, "job"),
    run: number(row, "run"),
    name: text(row, "name"),
  }));
}

/** Removes what was for runs that have ended; to be called in the transaction that has recorded that. */
export function dropSignals(database: Database): void {
  if (!areThere(database)) return;
  database.prepare(`
    DELETE FROM signals WHERE NOT EXISTS (
      SELECT 1 FROM jobs WHERE seq = job AND jobs.run = signals.run AND state = 'processing'
    )`).run();
}

// There nearly never are any: all that a worker pays for them is this look.
const areThere = (database: Database) =>
  database.prepare("SELECT 1 FROM signals LIMIT 1").get() !== undefined;
