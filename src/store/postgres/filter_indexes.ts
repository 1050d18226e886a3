/** Filters of jobs as SQL. */

import { type JobState, jobStates } from "../../job/job.ts";
import { type Choice, choiceOf, type Dialect, holdsForAny } from "../filter_sql.ts";
import { type JobFilter, kindsAmong } from "../job_filter.ts";
import type { Value } from "../sql.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./connection/database.ts";
import { asArray } from "./values.ts";

/** The dialect of one statement; `add` takes a parameter of it and gives its place. */
export function createDialect(database: Database, add: (value: Value) => `$${number}`): Dialect {
  const integer = (value: number) => `${add(value)}::bigint`;
  // Asked for once: a time that may be another for each row would use no index.
  let now: string | undefined;
  return {
    jobs: "queuectl.jobs",
    tags: "queuectl.tags",
    integer,
    text: (value) => `${add(value)}::text COLLATE "C"`,
    moment(moment) {
      if ("at" in moment) return integer(moment.at);
      now ??= `(SELECT ${timeSql(add(database.now()))})`;
      return moment.ago === 0 ? now : `(${now} - ${integer(moment.ago)})`;
    },
    isAmong: (column, values) => `${column} = ANY(${add(asArray(values))}::bigint[])`,
    // A backslash escapes without being named, and in a text of a statement it is not one thing on all servers.
    isLike: (column, pattern) => `lower(${column} COLLATE "C") LIKE lower(${pattern})`,
    plain: (column) => column,
    // By an expression: the server would rather look all jobs up in the order of an index.
    sorted: (column) => column === "id" || column === "state" ? `(${column} || '')` : column,
  };
}

/** The jobs of a filter, among those of these states. */
export function choiceFor(
  dialect: Dialect,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
): Choice {
  if (filter.kinds === undefined && among.length === jobStates.length) return choiceOf(dialect, filter);
  return choiceOf(dialect, filter, holdsForAny(dialect, kindsAmong(filter.kinds ?? among, among), among));
}
