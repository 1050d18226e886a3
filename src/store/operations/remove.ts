/** Removing jobs for good. */

import type { FoundJob } from "../errors.ts";
import { type Changed, changed } from "../side_effects.ts";
import { keysOf, type Sql, type Steps } from "../sql.ts";
import { unlink } from "./dependencies.ts";
import { forgetTags } from "./tags.ts";

/** (any state but processing) → (gone), with all runs. */
export function* remove(sql: Sql, chosen: FoundJob[]): Steps<Changed> {
  const jobs = chosen.toSorted((a, b) => a.seq - b.seq);
  if (jobs.length === 0) return changed([]);
  const { cancelled, mayFree } = yield* unlink(sql, jobs);
  yield* forgetTags(sql, jobs);
  yield* sql`DELETE FROM queuectl.jobs WHERE seq ${sql.among(keysOf(jobs))}`;
  yield* sql.forgetRuns(keysOf(jobs));
  sql.moved(jobs, null);
  if (mayFree) yield* sql.announce();
  return changed(jobs, { dependants: cancelled });
}
