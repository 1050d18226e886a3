/** Signals to the commands of running jobs: left by whoever sends them, found and delivered by their workers. */

import type { FoundJob } from "../errors.ts";
import { type Changed, changed } from "../side_effects.ts";
import { keysOf, raw, type Sql, type Steps } from "../sql.ts";

/** Leaves a signal for the present run of each job, and notes whether that stops its command or lets it go on. */
export function* signal(sql: Sql, jobs: FoundJob[], name: string): Steps<Changed> {
  if (jobs.length === 0) return changed([]);
  const isAmong = sql.among(keysOf(jobs));
  yield* sql`
    INSERT INTO queuectl.signals (job, run, name)
    SELECT seq, run, CAST(${name} AS text) FROM queuectl.jobs WHERE seq ${isAmong} ORDER BY seq`;
  if (name === "SIGSTOP" || name === "SIGCONT") {
    const stopped = raw(name === "SIGSTOP" ? "run" : "NULL");
    yield* sql`UPDATE queuectl.jobs SET stopped_run = ${stopped} WHERE seq ${isAmong}`;
  }
  yield* sql.announce();
  return changed(jobs);
}

/** Removes signals that were delivered. */
export function* removeSignals(sql: Sql, ids: readonly number[]): Steps<void> {
  yield* sql`DELETE FROM queuectl.signals WHERE id ${sql.among(ids)}`;
}
