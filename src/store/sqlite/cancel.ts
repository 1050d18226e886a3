/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { noJob, notCancellable } from "../refusals.ts";
import type { Cancelled } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { findJob } from "./queries.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. All or none. */
export async function cancel(database: Database, ids: readonly string[]): Promise<Cancelled[]> {
  return await database.write(() => {
    // All are found before the first is changed.
    const jobs = new Map(ids.map((id) => findCancellable(database, id)).map((job) => [job.seq, job]));
    const tally = openTally(database);
    const cancelled = [...jobs.values()].map(({ seq, id, state }) => {
      const running = state === "processing";
      const change = running
        ? "cancel_requested = 1"
        : "state = 'cancelled', set_aside = 1, available = 0, next_attempt_at = NULL";
      database.prepare(`UPDATE jobs SET ${change}, updated_at = ? WHERE seq = ?`).run(database.now(), seq);
      if (!running) tally.move(state, "cancelled");
      return { id, running };
    });
    tally.write();
    return cancelled;
  });
}

function findCancellable(database: Database, id: string): NonNullable<ReturnType<typeof findJob>> {
  const job = findJob(database, id);
  if (!job) throw noJob(id);
  if (["pending", "failed", "processing"].includes(job.state)) return job;
  throw notCancellable(job.id, job.state);
}

/** The jobs of a worker that it is to end; read inside a transaction. */
export function cancelRequests(database: Database, worker: number): number[] {
  return database.prepare(
    "SELECT seq FROM jobs WHERE worker = ? AND cancel_requested = 1",
  ).all(worker).map((row) => row.seq as number);
}
