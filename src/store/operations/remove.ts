/** Removing jobs for good. */

import type { Scope } from "../errors.ts";
import { noSideEffects } from "../side_effects.ts";
import type { Selection } from "../selection.ts";
import { idsOf, keysOf, type Sql, type Steps } from "../sql.ts";
import type { Changed } from "../store.ts";
import { unlink } from "./dependencies.ts";
import { choose } from "./find_jobs.ts";
import { forgetTags } from "./tags.ts";

/** The states of `scope` → (gone), with all runs; of a filter up to `most`. */
export function* remove(sql: Sql, selection: Selection, scope: Scope, most = Infinity): Steps<Changed> {
  const jobs = (yield* choose(sql, selection, scope, most)).sort((a, b) => a.seq - b.seq);
  if (jobs.length === 0) return { ids: [], effects: noSideEffects };
  const { cancelled, mayFree } = yield* unlink(sql, jobs);
  yield* forgetTags(sql, jobs);
  const gone = sql.among(keysOf(jobs));
  yield* sql`DELETE FROM queuectl.jobs WHERE seq ${gone}`;
  yield* sql.forgetRuns(keysOf(jobs));
  sql.moved(jobs, null);
  if (mayFree) yield* sql.announce();
  return { ids: idsOf(jobs), effects: { ...noSideEffects, dependants: cancelled } };
}
