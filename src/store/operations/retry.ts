/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import type { JobChanges } from "../../job/job.ts";
import type { QueuectlError } from "../../base/errors.ts";
import type { FoundJob, Scope } from "../errors.ts";
import { isNamed, type JobFilter, type Selection } from "../job_filter.ts";
import { type Changed, changed, noSideEffects, type SideEffects } from "../side_effects.ts";
import { type Engine, keysOf, type Sql, type Steps } from "../sql.ts";
import { forgiveBroken } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { jobsByKeys, keysOfFilter } from "./find_jobs.ts";
import { type Change, changeKeys, changeSelection, sumOf } from "./change_in_batches.ts";
import { backInQueue, reopen, withoutFailedParents } from "./retried_dependants.ts";
import { setTags } from "./tags.ts";
import { jobsWithoutKeys, keyConflict } from "./unique.ts";

/** How often a change is tried whose keys others take at the same moment. */
const tries = 100;

/** Retries jobs: which, with which changes. */
interface Retry {
  selection: Selection;
  changes: JobChanges;
  scope: Scope;
  /** Jobs of the first part. */
  first?: number;
}

/**
 * The states of `scope` → pending with attempts 0 and no error; the runs they had are kept. Of a filter those are left that
 * wait for one that has failed, or whose unique keys others have; of several with one key the newest goes back. Throws
 * `conflict` where that would give two jobs one unique key.
 */
export async function retry(engine: Engine, { selection, changes, scope, first }: Retry): Promise<Changed> {
  const effort = { slow: true, once: true };
  if (isNamed(selection)) {
    let tried: readonly number[] = [];
    const change: Change<Changed> = function* (sql, jobs) {
      tried = keysOf(jobs);
      return yield* putBack(sql, jobs, changes, true);
    };
    return await againForKeys(
      engine,
      () => changeSelection(engine, selection, scope, change, { effort }),
      () => engine.read((sql) => keyConflict(sql, tried), { slow: true }),
    );
  }
  const filter = selection === "all" ? {} : selection;
  const { able, asked, effects } = await engine.read((sql) => whichCan(sql, filter, scope), { slow: true });
  const change: Change<Changed> = (sql, jobs) => putBack(sql, jobs, changes, false, asked);
  const patient: Engine = {
    ...engine,
    write: (operation, effort) => againForKeys(engine, () => engine.write(operation, effort)),
  };
  const retried = await changeKeys(patient, filter, scope, able, change, { effort, first });
  return { ...retried, effects: sumOf(effects, retried.effects) };
}

/** Tries again where others take a unique key at the same moment; throws `conflict` where that cannot help. */
async function againForKeys<T>(
  engine: Engine,
  attempt: () => Promise<T>,
  conflict: () => Promise<QueuectlError | undefined> = () => Promise.resolve(undefined),
): Promise<T> {
  for (let count = 1;; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!engine.isKeyViolation(error)) throw error;
      // Nothing where the other one has ended meanwhile.
      const words = await conflict();
      if (words !== undefined || count === tries) throw words ?? error;
    }
  }
}

/** The keys of those jobs of a filter that can be retried, and of all of them; how many cannot. */
function* whichCan(
  sql: Sql,
  filter: JobFilter,
  scope: Scope,
): Steps<{ able: number[]; asked: ReadonlySet<number>; effects: SideEffects }> {
  const keys = yield* keysOfFilter(sql, filter, scope.states);
  const chosen = yield* jobsByKeys(sql, keys);
  const { jobs, keyTaken } = yield* ableAmong(sql, chosen);
  return {
    able: keysOf(jobs),
    asked: new Set(keys),
    effects: { ...noSideEffects, keyTaken, parentFailed: chosen.length - jobs.length - keyTaken },
  };
}

/** Those of these jobs that wait for none that has failed, and whose unique keys are free; how many keys are not. */
function* ableAmong(sql: Sql, chosen: FoundJob[]): Steps<{ jobs: FoundJob[]; keyTaken: number }> {
  const able = yield* withoutFailedParents(sql, chosen, false);
  const left = yield* jobsWithoutKeys(sql, keysOf(able));
  if (left.size === 0) return { jobs: able, keyTaken: 0 };
  // Who waits for one that is left is left too.
  const jobs = yield* withoutFailedParents(sql, able.filter(({ seq }) => !left.has(seq)), false);
  return { jobs, keyTaken: left.size };
}

function* putBack(
  sql: Sql,
  found: FoundJob[],
  changes: JobChanges,
  areNamed: boolean,
  asked: ReadonlySet<number> = new Set(keysOf(found)),
): Steps<Changed> {
  const chosen = found.toSorted((a, b) => a.seq - b.seq);
  const { jobs, keyTaken } = areNamed
    ? { jobs: yield* withoutFailedParents(sql, chosen, true), keyTaken: 0 }
    : yield* ableAmong(sql, chosen);
  const effects = { keyTaken, parentFailed: chosen.length - jobs.length - keyTaken };
  if (jobs.length === 0) return changed([], effects);
  const keys = keysOf(jobs);
  yield* forgiveBroken(sql, keys);
  yield* sql`
    UPDATE queuectl.jobs SET ${backInQueue(sql)} attempts = 0, postponed = 0, last_error = NULL,
      ${assignments(sql, changes)} updated_at = ${sql.now}
    WHERE seq ${sql.among(keys)}`;
  sql.moved(jobs, { state: "pending" });
  const { back, stay } = yield* reopen(sql, keys);
  yield* setTags(sql, jobs, changes.tags);
  yield* sql.announce();
  return changed(jobs, {
    ...effects,
    dependants: back.length,
    stay: stay.filter((seq) => !asked.has(seq)).length,
  });
}
