/** Jobs that are chosen: by a filter, as SQL that uses an index wherever there is one, or by their ids. */

import type { SQLInputValue } from "node:sqlite";
import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { type Choice, choiceOf, type Dialect, holdsForAny } from "../filter_sql.ts";
import type { FoundJob, Scope } from "../refusals.ts";
import { foundJob } from "../rows.ts";
import {
  isNamed,
  isView,
  type JobFilter,
  type JobKind,
  kindsAmong,
  type Selection,
  viewStates,
} from "../selection.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { requireJob } from "./queries.ts";
import { blocked, claimable } from "./schema.ts";

/** Named parameters. */
export type Parameters = Record<string, SQLInputValue>;

/** The dialect of one statement, with its parameters. */
export interface SqliteDialect extends Dialect {
  parameters: SQLInputValue[];
}

export function createDialect(database: Database): SqliteDialect {
  const parameters: SQLInputValue[] = [];
  const add = (value: SQLInputValue) => `?${parameters.push(value)}`;
  const now = database.now();
  return {
    parameters,
    jobs: "jobs",
    tags: "tags",
    integer: add,
    text: add,
    moment: (moment) => add("at" in moment ? moment.at : now - moment.ago),
    isAmong: (column, values) => `${column} IN (SELECT value FROM json_each(${add(JSON.stringify(values))}))`,
    isLike: (column, pattern) => `${column} LIKE ${pattern} ESCAPE '\\'`,
    plain: (column) => `+${column}`,
    sorted: (column) => `+${column}`,
  };
}

/** The jobs of a filter, among those of these states; undefined where there are none. Read in the transaction that uses it. */
export function choiceFor(
  database: Database,
  dialect: Dialect,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
): Choice | undefined {
  if (filter.kinds === undefined && among.length === jobStates.length) return choiceOf(dialect, filter);
  const { died: _, ...counts } = readCounters(database);
  const sum = (states: readonly JobState[]) => states.reduce((sum, state) => sum + counts[state], 0);
  const kinds = kindsAmong(filter.kinds ?? jobStates, among).filter((kind) =>
    isView(kind) ? sum(viewStates(among)) > 0 : counts[kind] > 0
  );
  if (kinds.length === 0) return undefined;
  const holds = holdsForAny(dialect, kinds, among);
  const { tags = [], queues = [defaultQueueName] } = filter;
  // Then other indexes find them.
  if (tags.length > 0 || !queues.includes(defaultQueueName)) return choiceOf(dialect, filter, holds);
  const indexes = [...new Set(kinds.flatMap(indexesOf))];
  // The keys of jobs that wait are sorted before the jobs are read: where they are many, all jobs are read as they come.
  const isAnyWaiting = kinds.some((kind) => waitingKinds.includes(kind));
  const areFew = !isAnyWaiting || sum(["pending", "failed"]) * 5 < sum(jobStates);
  if (indexes.includes(undefined) || !areFew) return choiceOf(dialect, filter, holds);
  // In the order of this index.
  if (indexes.length === 1 && indexes[0]!.includes("set_aside")) return choiceOf(dialect, filter, indexes[0]);
  const keys = indexes.map((condition) => `SELECT seq FROM jobs WHERE ${condition}`).join(" UNION ALL ");
  return choiceOf(dialect, filter, `seq IN (${keys}) AND ${holds}`);
}

/** The kinds whose jobs may be many that are found by indexes without the order of their keys. */
const waitingKinds: readonly JobKind[] = ["pending", "failed", "waiting", "scheduled"];

/** Conditions that have an index each, and together hold for the jobs of a kind; undefined where there is none. */
function indexesOf(kind: JobKind): Array<string | undefined> {
  switch (kind) {
    case "completed":
      return [undefined];
    case "processing":
      return ["worker IS NOT NULL"];
    case "dead":
    case "cancelled":
      return [`state = '${kind}' AND set_aside IS NOT NULL`];
    case "pending":
    case "failed":
      return [claimable, "next_attempt_at IS NOT NULL", "held = 1", blocked];
    case "waiting":
      return [claimable, "next_attempt_at IS NOT NULL"];
    case "scheduled":
      return ["next_attempt_at IS NOT NULL"];
    case "blocked":
      return [blocked];
    case "held":
      return ["held = 1"];
  }
}

/**
 * The jobs of a selection that an operation is about, of a filter up to `most`. Throws `not_found`, `conflict`, or `usage` for
 * several.
 */
export function choose(database: Database, jobs: Selection, scope: Scope, most = Infinity): FoundJob[] {
  if (isNamed(jobs)) return named(database, jobs, scope);
  const dialect = createDialect(database);
  const choice = choiceFor(database, dialect, jobs === "all" ? {} : jobs, scope.states);
  if (choice === undefined) return [];
  const { from, key, conditions } = choice;
  const statement = `SELECT seq, id, state, queue FROM ${from} WHERE ${
    conditions.join(" AND ") || "true"
  } ORDER BY ${key}${most === Infinity ? "" : ` LIMIT ${most}`}`;
  return database.prepare(statement).all(...dialect.parameters).map(foundJob);
}

// All are found before the first is changed, or a prefix could become unique by what was removed before it.
function named(database: Database, ids: readonly string[], scope: Scope): FoundJob[] {
  const found = new Map(
    ids.map((id) => requireJob(database, id, scope.missing)).map((job) => [job.seq, job]),
  );
  const jobs = [...found.values()];
  const others = jobs.filter(({ state }) => !scope.states.includes(state));
  if (others.length > 0) throw scope.refused(others);
  return jobs;
}

/** Runs a statement on these jobs; `:keys` in it stands for a list of their keys. */
export function change(
  database: Database,
  statement: string,
  jobs: readonly { seq: number }[],
  parameters: Parameters = {},
): void {
  if (jobs.length === 0) return;
  const keys = JSON.stringify(jobs.map(({ seq }) => seq));
  database.prepare(statement.replace(":keys", "SELECT value FROM json_each(:keys)"))
    .run({ ...parameters, keys });
}
