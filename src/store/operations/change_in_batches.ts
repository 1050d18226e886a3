/**
 * Changes of the jobs of a filter, batch by batch: each is a transaction of its own, so that others come in between, however
 * many jobs there are. What is told is what was done. Named jobs are changed all at once or not at all.
 */

import { QueuectlError } from "../../base/errors.ts";
import type { FoundJob, Scope } from "../errors.ts";
import { isNamed, type JobFilter, type Selection } from "../job_filter.ts";
import { noSideEffects, type SideEffects } from "../side_effects.ts";
import type { Effort, Engine, Sql, Steps } from "../sql.ts";
import { chosenAmong, dependantsFirst, keysOfFilter, named, withFixedTimes } from "./find_jobs.ts";

/** Changes jobs, which are locked; of a filter those that can be. */
export type Change<T> = (sql: Sql, jobs: FoundJob[], areNamed: boolean) => Steps<T>;

/** What a change gives. */
interface Done {
  ids: string[];
  effects: SideEffects;
}

/** Makes room where there is none, for what removes or ends jobs. */
export interface Relief {
  /** Whether there is room now after that error: then the same is tried again, and goes on in small batches. */
  after(error: unknown): Promise<boolean>;
  /** Is called after each of these. */
  tidy(): Promise<void>;
}

/** How jobs are changed. */
export interface Manner {
  effort?: Effort;
  /** Comes first in each transaction. */
  before?(sql: Sql): Steps<void>;
  /** Jobs end with it: so dependants come before those they wait for, and are not changed because of those. */
  ends?: boolean;
  relief?: Relief;
  /** Jobs of the first batch; later ones take as long as the engine's others may wait. */
  first?: number;
}

/** Jobs of a batch where there is little room. */
const few = 64;
/** As part of the time that a batch takes, the time that is left to others before the next one. */
const rest = 0.2;

/** Changes the jobs of a selection. */
export async function changeSelection<T extends Done>(
  engine: Engine,
  selection: Selection,
  scope: Scope,
  change: Change<T>,
  manner: Manner = {},
): Promise<T> {
  const { effort, before, ends, relief } = manner;
  if (isNamed(selection)) {
    const attempt = () =>
      engine.write(function* (sql) {
        if (before) yield* before(sql);
        return yield* change(sql, yield* named(sql, selection, scope), true);
      }, effort);
    try {
      return await attempt();
    } catch (error) {
      if (!await relief?.after(error)) throw error;
      return await attempt();
    }
  }
  const { filter, keys } = await engine.read(function* (sql) {
    const filter = yield* withFixedTimes(sql, selection === "all" ? {} : selection);
    const keys = yield* keysOfFilter(sql, filter, scope.states);
    return { filter, keys: ends ? yield* dependantsFirst(sql, keys) : keys };
  }, { slow: true });
  return await changeKeys(engine, { filter, keys }, scope, change, manner);
}

/** The same for the jobs with these keys, as far as they still are of the filter. */
async function changeKeys<T extends Done>(
  engine: Engine,
  { filter, keys }: { filter: JobFilter; keys: readonly number[] },
  scope: Scope,
  change: Change<T>,
  { effort, before, relief, first = 200 }: Manner,
): Promise<T> {
  let sum: T | undefined;
  let size = first;
  let isShort = false;
  for (let from = 0; sum === undefined || from < keys.length;) {
    const batch = keys.slice(from, from + size);
    let duration = 0;
    try {
      const done = await engine.write(function* (sql) {
        const startedAt = performance.now();
        if (before) yield* before(sql);
        const done = yield* change(sql, yield* chosenAmong(sql, filter, scope.states, batch), false);
        duration = performance.now() - startedAt;
        return done;
      }, effort);
      sum = sum === undefined ? done : added(sum, done);
    } catch (error) {
      if (isShort || !await relief?.after(error)) throw withCount(error, sum?.ids.length ?? 0);
      isShort = true;
      size = few;
      continue;
    }
    from += size;
    if (isShort) await relief?.tidy();
    // Not more than twice as many at once: what came before may have been quicker than all else.
    else size = Math.max(16, Math.round(size * Math.min(2, engine.patience / Math.max(duration, 0.1))));
    if (from < keys.length) await new Promise((resolve) => setTimeout(resolve, Math.max(1, duration * rest)));
  }
  return sum;
}

/** Two results as one. */
function added<T extends Done>(a: T, b: T): T {
  for (const [name, value] of Object.entries(b)) {
    if (Array.isArray(value)) { for (const each of value) (a[name as keyof T] as unknown[]).push(each); }
  }
  return { ...a, effects: sumOf(a.effects, b.effects) };
}

/** The side effects of two changes. */
const sumOf = (a: SideEffects, b: SideEffects): SideEffects =>
  Object.fromEntries(
    Object.keys(noSideEffects).map((name) => [
      name,
      a[name as keyof SideEffects] + b[name as keyof SideEffects],
    ]),
  ) as unknown as SideEffects;

/** The error with the number of jobs that were changed before it. */
function withCount(error: unknown, jobs: number): unknown {
  if (jobs === 0 || !(error instanceof QueuectlError)) return error;
  const done = `${jobs} ${jobs === 1 ? "job was" : "jobs were"} changed before that`;
  return new QueuectlError(error.code, `${error.message}; ${done}`, { cause: error });
}
