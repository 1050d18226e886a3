/** Finding jobs: by their ids, by prefixes of those, or by a filter. */

import { nearestId } from "../../base/nearest.ts";
import { type FoundJob, type Scope, severalJobs } from "../errors.ts";
import { foundJob, text } from "../rows.ts";
import type { JobState } from "../../job/job.ts";
import { soundKeys } from "../damage.ts";
import type { JobFilter } from "../job_filter.ts";
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

/** The jobs with these keys, as far as they are there, the oldest first. */
export function* jobsByKeys(sql: Sql, keys: readonly number[]): Steps<FoundJob[]> {
  const rows = yield* sql`
    SELECT seq, id, state, queue FROM queuectl.jobs WHERE seq ${sql.among(keys)} ORDER BY seq`;
  return rows.map(foundJob);
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
