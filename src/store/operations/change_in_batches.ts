/**
 * Changes of the jobs of a filter, part by part: each part is a transaction of its own, so that others come in between,
 * however many jobs there are. What is told is what was done. Named jobs are changed all at once or not at all.
 */

import type { FoundJob, Scope } from "../errors.ts";
import { isNamed, type JobFilter, type Selection } from "../job_filter.ts";
import { noSideEffects, type SideEffects } from "../side_effects.ts";
import type { Effort, Engine, Sql, Steps } from "../sql.ts";
import { chosenAmong, keysOfFilter, named } from "./find_jobs.ts";

/** Changes jobs, which are locked; of a filter those that can be. */
export type Change<T> = (sql: Sql, jobs: FoundJob[], areNamed: boolean) => Steps<T>;

/** What a change gives. */
interface Done {
  ids: string[];
  effects: SideEffects;
}

export interface Parts {
  effort?: Effort;
  /** Comes first in each transaction. */
  before?(sql: Sql): Steps<void>;
  /** Jobs of the first part; later ones take as long as the engine's others may wait. */
  first?: number;
  /** The most jobs of a part. */
  most?: number;
  /** Is called after each part. */
  after?(): void;
}

/** As part of the time that a part takes, the time that is left to others before the next one. */
const rest = 0.2;

/** Changes the jobs of a selection. */
export async function changeSelection<T extends Done>(
  engine: Engine,
  selection: Selection,
  scope: Scope,
  change: Change<T>,
  parts: Parts = {},
): Promise<T> {
  const { effort, before } = parts;
  if (isNamed(selection)) {
    return await engine.write(function* (sql) {
      if (before) yield* before(sql);
      return yield* change(sql, yield* named(sql, selection, scope), true);
    }, effort);
  }
  const filter = selection === "all" ? {} : selection;
  const keys = await engine.read((sql) => keysOfFilter(sql, filter, scope.states), { slow: true });
  return await changeKeys(engine, filter, scope, keys, change, parts);
}

/** The same for the jobs with these keys, as far as they still are of the filter. */
export async function changeKeys<T extends Done>(
  engine: Engine,
  filter: JobFilter,
  scope: Scope,
  keys: readonly number[],
  change: Change<T>,
  { effort, before, first = 200, most = Infinity, after }: Parts = {},
): Promise<T> {
  let sum: T | undefined;
  let size = Math.min(first, most);
  for (let from = 0; sum === undefined || from < keys.length;) {
    const part = keys.slice(from, from + size);
    let duration = 0;
    const done = await engine.write(function* (sql) {
      const startedAt = performance.now();
      if (before) yield* before(sql);
      const done = yield* change(sql, yield* chosenAmong(sql, filter, scope.states, part), false);
      duration = performance.now() - startedAt;
      return done;
    }, effort);
    sum = sum === undefined ? done : added(sum, done);
    after?.();
    from += size;
    if (from >= keys.length) break;
    // Not more than twice as many at once: what came before may have been quicker than all else.
    size = Math.min(
      most,
      Math.max(16, Math.round(size * Math.min(2, engine.patience / Math.max(duration, 0.1)))),
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, duration * rest)));
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
export const sumOf = (a: SideEffects, b: SideEffects): SideEffects =>
  Object.fromEntries(
    Object.keys(noSideEffects).map((name) => [
      name,
      a[name as keyof SideEffects] + b[name as keyof SideEffects],
    ]),
  ) as unknown as SideEffects;
