/** Lists of jobs. */

import { jobStates } from "../../job/job.ts";
import { readable, soundKeys } from "../damage.ts";
import { listStatement } from "../filter_sql.ts";
import { jobColumns, jobFromRow, text } from "../rows.ts";
import {
  isByAge,
  type ListedJob,
  type ListFilter,
  type PageOfKeys,
  type Position,
  positionOf,
} from "../job_filter.ts";
import { raw, type Sql, type Steps } from "../sql.ts";

/** The jobs of a filter, in its order. */
export function* list(sql: Sql, filter: ListFilter): Steps<ListedJob[]> {
  const { sort, limit } = filter;
  // In another order their keys are sorted, which is less to carry about; the jobs are then read by those.
  const wanted = isByAge(filter) || filter.keys !== undefined
    ? filter
    : { keys: yield* readKeys(sql, filter), sort, limit };
  const rows = yield* sql.select(
    wanted,
    jobStates,
    (dialect, choice) => listStatement(dialect, wanted, choice, jobColumns),
  );
  const jobs = readable(rows, jobFromRow, sql.tellDamage);
  return sort === undefined ? jobs.reverse() : jobs;
}

/** The keys of those jobs. */
export function* keys(sql: Sql, filter: ListFilter): Steps<number[]> {
  const keys = yield* readKeys(sql, filter);
  return filter.sort === undefined ? keys.reverse() : keys;
}

/** The keys of a page of those jobs. */
export function* pageOfKeys(sql: Sql, filter: ListFilter): Steps<PageOfKeys> {
  const { sort, limit } = filter;
  const keys = yield* readKeys(sql, { ...filter, limit: limit + 1 });
  let end: Position | null = null;
  if (keys.length > limit) {
    keys.pop();
    const [row] = yield* sql`SELECT ${raw(jobColumns)} FROM queuectl.jobs WHERE seq = ${keys.at(-1)!}`;
    end = positionOf(jobFromRow(row), sort?.by ?? "created");
  }
  return { keys: sort === undefined ? keys.reverse() : keys, end };
}

/** In the order in which they are read. */
function* readKeys(sql: Sql, filter: ListFilter): Steps<number[]> {
  // As one value: a row for each would take ten times the memory.
  const [row] = yield* sql.select(
    filter,
    jobStates,
    (dialect, choice) =>
      `SELECT coalesce(string_agg(CAST(seq AS text), ','), '') AS keys
     FROM (${listStatement(dialect, filter, choice, "seq")}) AS listed`,
  );
  return row === undefined ? [] : soundKeys(JSON.parse(`[${text(row, "keys")}]`), sql.tellDamage);
}
