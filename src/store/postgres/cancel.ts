/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { noJob, notCancellable } from "../refusals.ts";
import type { Cancelled } from "../store.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./database.ts";
import { notification } from "./notifications.ts";
import { findJob, type FoundJob } from "./queries.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. All or none. */
export async function cancel(database: Database, ids: readonly string[]): Promise<Cancelled[]> {
  return await database.transaction(async (run) => {
    // All are found before the first is changed.
    const jobs = new Map<number, FoundJob>();
    for (const id of ids) {
      const job = await findCancellable(run, id);
      jobs.set(job.seq, job);
    }
    const cancelled: Cancelled[] = [];
    for (const { seq, id, state } of jobs.values()) {
      const running = state === "processing";
      const change = running
        ? "cancel_requested = true"
        : "state = 'cancelled', available = false, next_attempt_at = NULL";
      await run(`UPDATE queuectl.jobs SET ${change}, updated_at = ${timeSql("$2")} WHERE seq = $1`, [
        seq,
        database.now(),
      ]);
      cancelled.push({ id, running });
    }
    if (cancelled.some(({ running }) => running)) {
      const { text, parameters } = notification(database);
      await run(text, parameters);
    }
    return cancelled;
    // A second time it would find its own work, and take it for a conflict.
  }, { unknown: "tell" });
}

async function findCancellable(run: Run, id: string): Promise<FoundJob> {
  const job = await findJob(run, id, "FOR UPDATE");
  if (!job) throw noJob(id);
  if (["pending", "failed", "processing"].includes(job.state)) return job;
  throw notCancellable(job.id, job.state);
}
