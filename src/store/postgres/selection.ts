/** Jobs that are chosen: by a filter, as SQL, or by their ids. */

import { type JobState, jobStates } from "../../job/job.ts";
import { type Choice, choiceOf, type Dialect, holdsForAny } from "../filter_sql.ts";
import type { FoundJob, Scope } from "../refusals.ts";
import { isNamed, type JobFilter, kindsAmong, type Selection } from "../selection.ts";
import { timeSql } from "./clock.ts";
import { type Database, readAsPlanned, readByIndexes, type Run } from "./connection/database.ts";
import { requireJob } from "./queries.ts";
import { asArray } from "./storable.ts";

/** Parameters of a statement that is being put together: takes one, and gives its place in the text. */
export interface Parameters {
  values: unknown[];
  add(value: unknown): `$${number}`;
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}

/** The dialect of one statement. */
export function createDialect(database: Database, { add }: Parameters): Dialect {
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

/** The jobs of a selection that an operation is about, locked. Throws `not_found`, `conflict`, or `usage` for several. */
export async function choose(
  database: Database,
  run: Run,
  jobs: Selection,
  scope: Scope,
): Promise<FoundJob[]> {
  if (isNamed(jobs)) return await named(run, jobs, scope);
  const parameters = createParameters();
  const dialect = createDialect(database, parameters);
  const { from, key, conditions } = choiceFor(dialect, jobs === "all" ? {} : jobs, scope.states);
  await run(readAsPlanned);
  const rows = await run(
    `SELECT seq, id, state, queue FROM ${from} WHERE ${conditions.join(" AND ") || "true"}
     ORDER BY ${key} FOR UPDATE OF jobs`,
    parameters.values,
  );
  await run(readByIndexes);
  return rows as unknown as FoundJob[];
}

// All are found before the first is changed, or a prefix could become unique by what was removed before it.
async function named(run: Run, ids: readonly string[], scope: Scope): Promise<FoundJob[]> {
  const found = new Map<number, FoundJob>();
  for (const id of ids) {
    const job = await requireJob(run, id, scope.missing, "FOR UPDATE");
    found.set(job.seq, job);
  }
  const jobs = [...found.values()];
  const others = jobs.filter(({ state }) => !scope.states.includes(state));
  if (others.length > 0) throw scope.refused(others);
  return jobs;
}
