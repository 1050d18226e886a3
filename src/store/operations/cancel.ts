/** Cancelling jobs, from any terminal: a running one is ended by its worker. */

import type { FoundJob } from "../errors.ts";
import { changed } from "../side_effects.ts";
import { idsOf, keysOf, type Sql, type Steps } from "../sql.ts";
import type { Cancelled } from "../store.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. */
export function* cancel(sql: Sql, jobs: FoundJob[]): Steps<Cancelled> {
  const [running, waiting] = [true, false].map((runs) =>
    jobs.filter(({ state }) => (state === "processing") === runs)
  );
  const dependants = yield* cancelWaiting(sql, waiting);
  if (running.length > 0) {
    yield* sql`
      UPDATE queuectl.jobs SET cancel_requested = TRUE, updated_at = ${sql.now}
      WHERE seq ${sql.among(keysOf(running))}`;
    yield* sql.announce();
  }
  return { ...changed(jobs, { dependants }), running: idsOf(running) };
}

/**
 * pending or failed → cancelled, and their dependants; with a new last error where one is given. Gives how many dependants
 * were cancelled.
 */
export function* cancelWaiting(
  sql: Sql,
  jobs: ReadonlyArray<FoundJob & { error?: string }>,
): Steps<number> {
  if (jobs.length === 0) return 0;
  const each = sql.rows("each", { seq: "bigint", error: "text" }, jobs);
  yield* sql`
    UPDATE queuectl.jobs AS job SET ${sql.state("cancelled")}, available = FALSE, held = FALSE,
      next_attempt_at = NULL, last_error = coalesce(each.error, job.last_error), updated_at = ${sql.now}
    FROM ${each} WHERE job.seq = each.seq`;
  sql.moved(jobs, { state: "cancelled" });
  return yield* sql.settle(keysOf(jobs));
}
