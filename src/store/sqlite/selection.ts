/** Jobs that are chosen: by a filter, as SQL that uses an index wherever there is one, or by their ids. */

import type { SQLInputValue } from "node:sqlite";
import { type JobState, jobStates } from "../../job/job.ts";
import type { FoundJob, Scope } from "../refusals.ts";
import {
  clockTolerance,
  firstKeySince,
  isNamed,
  isView,
  type JobFilter,
  type JobKind,
  kindsAmong,
  likePattern,
  type Moment,
  type Selection,
  stateList,
  viewStates,
} from "../selection.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { requireJob } from "./queries.ts";
import { claimable } from "./schema.ts";

/** A condition on jobs with its named parameters. */
export interface Condition {
  sql: string;
  parameters: Record<string, SQLInputValue>;
}

/**
 * The condition for the jobs of a filter, among those of these states; undefined where there are none. Read in the
 * transaction that uses it.
 */
export function conditionFor(
  database: Database,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
): Condition | undefined {
  const parameters: Condition["parameters"] = {};
  const conditions = ["true"];
  const moment = (name: string, moment: Moment) => {
    parameters[name] = "at" in moment ? moment.at : database.now() - moment.ago;
    return `:${name}`;
  };
  const young: string[] = [];
  if (filter.createdSince !== undefined) {
    const since = moment("since", filter.createdSince);
    young.push(`seq >= ${firstKeySince("jobs", `${since} - ${clockTolerance}`)}`);
    conditions.push(...young, `created_at >= ${since}`);
  }
  if (filter.kinds !== undefined || among.length < jobStates.length) {
    const kinds = kindsCondition(database, kindsAmong(filter.kinds ?? jobStates, among), among, young);
    if (kinds === undefined) return undefined;
    conditions.push(kinds);
    if (kinds.includes(":now")) parameters.now = database.now();
  }
  if (filter.search !== undefined) {
    parameters.search = likePattern(filter.search);
    conditions.push("(command LIKE :search ESCAPE '\\' OR id LIKE :search ESCAPE '\\')");
  }
  if (filter.unchangedSince !== undefined) {
    conditions.push(`updated_at <= ${moment("unchanged", filter.unchangedSince)}`);
  }
  return { sql: conditions.join(" AND "), parameters };
}

/**
 * How jobs of some kinds are found: by keys that indexes give without a look at the jobs, and then by what has to hold
 * for them. There is no index on completed jobs. Nor are pending ones read by theirs where they are most of a queue:
 * sorting the keys takes longer than reading past the others. What `young` says of keys holds already.
 */
function kindsCondition(
  database: Database,
  kinds: readonly JobKind[],
  among: readonly JobState[],
  young: readonly string[],
): string | undefined {
  const { died: _, ...counts } = readCounters(database);
  const sum = (states: readonly JobState[]) => states.reduce((sum, state) => sum + counts[state], 0);
  const present = kinds.filter((kind) => (isView(kind) ? sum(viewStates(among)) : counts[kind]) > 0);
  if (present.length === 0) return undefined;
  const arePendingFew = counts.pending * 2 < sum(jobStates);
  const indexes = [...new Set(present.flatMap((kind) => indexesOf(kind, arePendingFew)))];
  // In the order of its index; a list of keys would have to be made first.
  if (indexes.length === 1 && indexes[0]?.includes("set_aside")) return indexes[0];
  const holds = `(${present.map((kind) => holdsFor(kind, among)).join(" OR ")})`;
  if (indexes.includes(undefined)) return holds;
  const keys = indexes.map((where) => `SELECT seq FROM jobs WHERE ${[where, ...young].join(" AND ")}`)
    .join(" UNION ALL ");
  return `seq IN (${keys}) AND ${holds}`;
}

/** Conditions that have an index each, and together hold for the jobs of a kind; undefined where all are to be read. */
function indexesOf(kind: JobKind, arePendingFew: boolean): Array<string | undefined> {
  switch (kind) {
    case "processing":
      return ["worker IS NOT NULL"];
    case "dead":
    case "cancelled":
      return [`state = '${kind}' AND set_aside IS NOT NULL`];
    case "pending":
      return arePendingFew ? [claimable, ...putOff] : [undefined];
    case "waiting":
      return arePendingFew ? [claimable, "next_attempt_at IS NOT NULL"] : [undefined];
    case "failed":
      // Few of those that may be claimed are failed: they come first.
      return arePendingFew ? [`state = 'failed' AND ${claimable}`, ...putOff] : [undefined];
    case "scheduled":
      return ["next_attempt_at IS NOT NULL"];
    case "blocked":
      return ["blocked > 0"];
    case "held":
      return ["held = 1"];
    case "completed":
      return [undefined];
  }
}

/** What keeps jobs from being claimed that wait. */
const putOff = ["next_attempt_at IS NOT NULL", "held = 1", "blocked > 0"];

/** By expressions: SQLite would rather take an index for them than read jobs in their order. */
function holdsFor(kind: JobKind, among: readonly JobState[]): string {
  if (!isView(kind)) return `+state = '${kind}'`;
  const states = `+state IN (${stateList(viewStates(among))})`;
  switch (kind) {
    case "held":
      return `${states} AND +held = 1`;
    case "scheduled":
      return `${states} AND +next_attempt_at > :now AND +held = 0`;
    case "waiting":
      return `${states} AND (+available = 1 OR +next_attempt_at <= :now AND +held = 0 AND +blocked = 0)`;
    case "blocked":
      return `${states} AND +blocked > 0`;
  }
}

/** The jobs of a selection that an operation is about. Throws `not_found`, `conflict`, or `usage` for several. */
export function choose(database: Database, jobs: Selection, scope: Scope): FoundJob[] {
  if (isNamed(jobs)) return named(database, jobs, scope);
  const condition = conditionFor(database, jobs === "all" ? {} : jobs, scope.states);
  if (condition === undefined) return [];
  return database.prepare(`SELECT seq, id, state, queue FROM jobs WHERE ${condition.sql} ORDER BY seq`)
    .all(condition.parameters) as never;
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
  parameters: Condition["parameters"] = {},
): void {
  if (jobs.length === 0) return;
  const keys = JSON.stringify(jobs.map(({ seq }) => seq));
  database.prepare(statement.replace(":keys", "SELECT value FROM json_each(:keys)"))
    .run({ ...parameters, keys });
}
