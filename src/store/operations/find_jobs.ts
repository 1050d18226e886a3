/** Finding jobs: by their ids, by prefixes of those, or by a filter. */

import { nearestId } from "../../base/nearest.ts";
import { type FoundJob, type Scope, severalJobs } from "../errors.ts";
import { foundJob, number, text } from "../rows.ts";
import type { JobState } from "../../job/job.ts";
import { soundKeys } from "../damage.ts";
import { isNamed, type JobFilter, type Moment, type Selection } from "../job_filter.ts";
import { raw, type Sql, type Steps } from "../sql.ts";

/** Behind the last text that begins with another one: the highest character. */
const behindAll = "\u{10FFFF}";

/** The keys of the jobs of a filter that are in these states, the oldest first. */
export function* keysOfFilter(sql: Sql, filter: JobFilter, states: readonly JobState[]): Steps<number[]> {
  // As one value: a row for each would take ten times the memory.
  const [row] = yield* sql.select(
    filter,
    states,
    (_, { from, key, conditions }) =>
      `SELECT coalesce(string_agg(CAST(seq AS text), ','), '') AS keys
     FROM (SELECT ${key} AS seq FROM ${from} WHERE ${
        conditions.join(" AND ") || "true"
      } ORDER BY ${key}) AS chosen`,
  );
  return row === undefined ? [] : soundKeys(JSON.parse(`[${text(row, "keys")}]`), sql.tellDamage);
}

/** Those of the jobs with these keys that are of a filter and in these states; nobody else changes them in this transaction. */
export function* chosenAmong(
  sql: Sql,
  filter: JobFilter,
  states: readonly JobState[],
  keys: readonly number[],
): Steps<FoundJob[]> {
  if (keys.length === 0) return [];
  const rows = yield* sql.select(
    filter,
    states,
    (dialect, { from, key, conditions }) =>
      `SELECT seq, id, state, queue FROM ${from}
     WHERE ${[dialect.isAmong(key, keys), ...conditions].join(" AND ")}
     ORDER BY ${key} ${sql.forUpdate && `${sql.forUpdate} OF jobs`}`,
    true,
  );
  return rows.map(foundJob);
}

/** These keys, each before those of the jobs that it waits for or has waited for; as they are where none waits. */
export function* dependantsFirst(sql: Sql, keys: readonly number[]): Steps<number[]> {
  const edges = yield* sql`
    SELECT parent, child FROM queuectl.dependencies WHERE child ${sql.among(keys)} ORDER BY child, parent`;
  if (edges.length === 0) return [...keys];
  const parentsOf = Map.groupBy(edges, (edge) => number(edge, "child"));
  const asked = new Set(keys);
  const seen = new Set<number>();
  const parentsFirst = new Set<number>();
  for (const key of keys) {
    // A stack of its own: a chain can be longer than that of the calls.
    for (const stack = [key]; stack.length > 0;) {
      const job = stack.at(-1)!;
      const parents = seen.has(job) ? [] : (parentsOf.get(job) ?? []).map((edge) => number(edge, "parent"));
      const missing = parents.filter((parent) => asked.has(parent) && !seen.has(parent));
      seen.add(job);
      if (missing.length > 0) stack.push(...missing);
      else parentsFirst.add(stack.pop()!);
    }
  }
  return [...parentsFirst].reverse();
}

/** The filter with times in the place of ages, so that it means the same from one transaction to another. */
export function* withFixedTimes(sql: Sql, filter: JobFilter): Steps<JobFilter> {
  const [row] = yield* sql`SELECT ${sql.now} AS now`;
  const now = number(row, "now");
  const fixed = (moment: Moment | undefined): Moment | undefined =>
    moment === undefined || "at" in moment ? moment : { at: now - moment.ago };
  const { createdSince, unchangedSince, ...rest } = filter;
  return {
    ...rest,
    ...createdSince && { createdSince: fixed(createdSince) },
    ...unchangedSince && { unchangedSince: fixed(unchangedSince) },
  };
}

/** The jobs of a selection that an operation is about, locked. Throws as {@link named}. */
export function* choose(sql: Sql, selection: Selection, scope: Scope): Steps<FoundJob[]> {
  if (isNamed(selection)) return yield* named(sql, selection, scope);
  const filter = selection === "all" ? {} : selection;
  return yield* chosenAmong(sql, filter, scope.states, yield* keysOfFilter(sql, filter, scope.states));
}

/** The jobs with these ids or prefixes, locked. Throws `not_found`, `conflict`, or `usage` where several have a prefix. */
export function* named(sql: Sql, ids: readonly string[], scope: Scope): Steps<FoundJob[]> {
  // All are found before the first is changed, or a prefix could become unique by what was removed before it.
  const found = new Map<number, FoundJob>();
  for (const id of ids) {
    const job = yield* requireJob(sql, id, scope.missing, true);
    found.set(job.seq, job);
  }
  const jobs = [...found.values()];
  const others = jobs.filter(({ state }) => !scope.states.includes(state));
  if (others.length > 0) throw scope.refused(others);
  return jobs;
}

/**
 * A job by its whole id, or by a prefix that no other id has; with `lock` nobody else changes it in this transaction. Throws
 * `missing`, with an id that was perhaps meant, and `usage` when several have the prefix.
 */
export function* requireJob(sql: Sql, id: string, missing: Scope["missing"], lock = false): Steps<FoundJob> {
  // No id has a NUL, and PostgreSQL takes none.
  if (id.includes("\0")) throw missing(id);
  const job = yield* findJob(sql, id, lock);
  if (!job) throw missing(id, yield* nearbyId(sql, id));
  return job;
}

function* findJob(sql: Sql, id: string, lock: boolean): Steps<FoundJob | undefined> {
  if (id === "") return undefined;
  const locked = raw(lock ? sql.forUpdate : "");
  const [whole] = yield* sql`SELECT seq, id, state, queue FROM queuectl.jobs WHERE id = ${id} ${locked}`;
  if (whole) return foundJob(whole);
  // No LIKE, so no escaping and always the index.
  const found = yield* sql`
    SELECT seq, id, state, queue FROM queuectl.jobs WHERE id > ${id} AND id < ${id + behindAll}
    ORDER BY id LIMIT 3 ${locked}`;
  if (found.length > 1) throw severalJobs(id, found.map((row) => text(row, "id")));
  return found[0] && foundJob(found[0]);
}

/** An id that was perhaps meant: among those beside it in their order, and the newest. */
function* nearbyId(sql: Sql, id: string): Steps<string | undefined> {
  const beside = yield* sql`
    SELECT id FROM (SELECT id FROM queuectl.jobs WHERE id < ${id} ORDER BY id DESC LIMIT 5) AS before
    UNION ALL SELECT id FROM (SELECT id FROM queuectl.jobs WHERE id > ${id} ORDER BY id LIMIT 5) AS behind
    UNION ALL SELECT id FROM (SELECT id FROM queuectl.jobs ORDER BY seq DESC LIMIT 200) AS newest`;
  return nearestId(id, beside.map((row) => text(row, "id")));
}
