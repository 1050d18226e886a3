/** Finding jobs: by their ids, by prefixes of those, or by a filter. */

import { nearestId } from "../../base/nearest.ts";
import { type FoundJob, type Scope, severalJobs } from "../errors.ts";
import { foundJob, text } from "../rows.ts";
import { isNamed, type Selection } from "../selection.ts";
import { raw, type Sql, type Steps } from "../sql.ts";

/** Behind the last text that begins with another one: the highest character. */
const behindAll = "\u{10FFFF}";

/**
 * The jobs of a selection that an operation is about, of a filter up to `most`; nobody else changes them in this
 * transaction. Throws `not_found`, `conflict`, or `usage` for several.
 */
export function* choose(sql: Sql, jobs: Selection, scope: Scope, most = Infinity): Steps<FoundJob[]> {
  if (isNamed(jobs)) return yield* named(sql, jobs, scope);
  const limit = most === Infinity ? "" : `LIMIT ${most}`;
  const rows = yield* sql.select(
    jobs === "all" ? {} : jobs,
    scope.states,
    (_, { from, key, conditions }) =>
      `SELECT seq, id, state, queue FROM ${from} WHERE ${conditions.join(" AND ") || "true"}
     ORDER BY ${key} ${limit} ${sql.forUpdate && `${sql.forUpdate} OF jobs`}`,
  );
  return rows.map(foundJob);
}

// All are found before the first is changed, or a prefix could become unique by what was removed before it.
function* named(sql: Sql, ids: readonly string[], scope: Scope): Steps<FoundJob[]> {
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
