/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import type { JobChanges } from "../../job/job.ts";
import type { Scope } from "../errors.ts";
import { isNamed, type Selection } from "../job_filter.ts";
import { type Changed, changed } from "../side_effects.ts";
import { type Engine, keysOf, type Sql, type Steps } from "../sql.ts";
import { forgiveBroken } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { choose } from "./find_jobs.ts";
import { backInQueue, reopen, withoutFailedParents } from "./retried_dependants.ts";
import { setTags } from "./tags.ts";
import { jobsWithoutKeys, keyConflict } from "./unique.ts";

/** How often a change is tried whose keys others take at the same moment. */
const tries = 100;

/** Retries jobs: which, with which changes. `trying` is told their keys before they change. */
interface Retry {
  selection: Selection;
  changes: JobChanges;
  scope: Scope;
  trying(jobs: readonly number[]): void;
}

/**
 * The states of `scope` → pending with attempts 0 and no error; the runs they had are kept. Of a filter those are left that
 * wait for one that has failed, or whose unique keys others have; of several with one key the newest goes back: so all of
 * them are looked at, and changed, at once. Throws `conflict` where that would give two jobs one unique key.
 */
export async function retry(
  engine: Engine,
  selection: Selection,
  changes: JobChanges,
  scope: Scope,
): Promise<Changed> {
  let tried: readonly number[] = [];
  const trying = (jobs: readonly number[]) => tried = jobs;
  for (let count = 1;; count++) {
    try {
      return await engine.write((sql) => putBack(sql, { selection, changes, scope, trying }), {
        slow: true,
        once: true,
      });
    } catch (error) {
      if (!engine.isKeyViolation(error)) throw error;
      // Nothing where the other one has ended meanwhile, or those of a filter are chosen anew: then it is tried again.
      const conflict = isNamed(selection)
        ? await engine.read((sql) => keyConflict(sql, tried), { slow: true })
        : undefined;
      if (conflict !== undefined || count === tries) throw conflict ?? error;
    }
  }
}

function* putBack(sql: Sql, { selection, changes, scope, trying }: Retry): Steps<Changed> {
  const areNamed = isNamed(selection);
  const chosen = (yield* choose(sql, selection, scope)).sort((a, b) => a.seq - b.seq);
  const able = yield* withoutFailedParents(sql, chosen, areNamed);
  const left = areNamed ? undefined : yield* jobsWithoutKeys(sql, keysOf(able));
  // Who waits for one that is left is left too.
  const jobs = left?.size
    ? yield* withoutFailedParents(sql, able.filter(({ seq }) => !left.has(seq)), false)
    : able;
  const keyTaken = left?.size ?? 0;
  const effects = { keyTaken, parentFailed: chosen.length - jobs.length - keyTaken };
  if (jobs.length === 0) return changed([], effects);
  const keys = keysOf(jobs);
  trying(keys);
  yield* forgiveBroken(sql, keys);
  yield* sql`
    UPDATE queuectl.jobs SET ${backInQueue(sql)} attempts = 0, postponed = 0, last_error = NULL,
      ${assignments(sql, changes)} updated_at = ${sql.now}
    WHERE seq ${sql.among(keys)}`;
  sql.moved(jobs, { state: "pending" });
  const { back, stay } = yield* reopen(sql, keys);
  yield* setTags(sql, jobs, changes.tags);
  yield* sql.announce();
  const asked = new Set(keysOf(chosen));
  return changed(jobs, {
    ...effects,
    dependants: back.length,
    stay: stay.filter((seq) => !asked.has(seq)).length,
  });
}
