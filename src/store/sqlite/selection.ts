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
  const all = jobStates.length;
  if (filter.kinds !== undefined || among.length < all) {
    const kinds = kindsCondition(database, kindsAmong(filter.kinds ?? jobStates, among), among);
    if (kinds === undefined) return undefined;
    conditions.push(kinds);
    if (kinds.includes(":now")) parameters.now = database.now();
  }
  if (filter.search !== undefined) {
    parameters.search = likePattern(filter.search);
    conditions.push("(command LIKE :search ESCAPE '\\' OR id LIKE :search ESCAPE '\\')");
  }
  if (filter.createdSince !== undefined) {
    const since = moment("since", filter.createdSince);
    conditions.push(`seq >= ${firstKeySince("jobs", `${since} - ${clockTolerance}`)}`);
    conditions.push(`created_at >= ${since}`);
  }
  if (filter.unchangedSince !== undefined) {
    conditions.push(`updated_at <= ${moment("unchanged", filter.unchangedSince)}`);
  }
  return { sql: conditions.join(" AND "), parameters };
}

/**
 * How jobs of some kinds are found. Each kind has an index, but for completed jobs, and pending ones where they are most
 * of a queue: sorting what can be claimed is quicker than reading past everything else, where there is more of that.
 */
function kindsCondition(
  database: Database,
  kinds: readonly JobKind[],
  among: readonly JobState[],
): string | undefined {
  const { died: _, ...counts } = readCounters(database);
  const sum = (states: readonly JobState[]) => states.reduce((sum, state) => sum + counts[state], 0);
  const present = kinds.filter((kind) => (isView(kind) ? sum(viewStates(among)) : counts[kind]) > 0);
  if (present.length === 0) return undefined;
  const arePendingFew = counts.pending * 2 < sum(jobStates);
  const lists = present.map((kind) => indexed(kind, among, arePendingFew));
  if (lists.every((list) => list !== undefined)) {
    const selects = lists.flat();
    // In the order of its index; a list of keys would have to be made first.
    if (selects.length === 1 && selects[0].includes("set_aside")) return selects[0];
    return `seq IN (${selects.map((where) => `SELECT seq FROM jobs WHERE ${where}`).join(" UNION ALL ")})`;
  }
  // By an expression: all jobs are read in their order, whichever index there is.
  return `(${present.map((kind) => scanned(kind, among)).join(" OR ")})`;
}

/** Conditions that have an index each, and together give the jobs of a kind; undefined where reading all is quicker. */
function indexed(kind: JobKind, among: readonly JobState[], arePendingFew: boolean): string[] | undefined {
  const states = `state IN (${stateList(viewStates(among))})`;
  switch (kind) {
    case "processing":
      return ["worker IS NOT NULL"];
    case "dead":
    case "cancelled":
      return [`state = '${kind}' AND set_aside IS NOT NULL`];
    case "pending":
    case "failed":
      return arePendingFew
        ? [`state = '${kind}' AND ${claimable}`, `state = '${kind}' AND next_attempt_at IS NOT NULL`]
        : undefined;
    case "scheduled":
      return [`${states} AND next_attempt_at > :now`];
    case "waiting":
      return arePendingFew
        ? [`${states} AND ${claimable}`, `${states} AND next_attempt_at <= :now`]
        : undefined;
    case "completed":
      return undefined;
  }
}

function scanned(kind: JobKind, among: readonly JobState[]): string {
  if (!isView(kind)) return `+state = '${kind}'`;
  const states = `+state IN (${stateList(viewStates(among))})`;
  return kind === "scheduled"
    ? `${states} AND +next_attempt_at > :now`
    : `${states} AND (+available = 1 OR +next_attempt_at <= :now)`;
}

/** The jobs of a selection that an operation is about. Throws `not_found`, `conflict`, or `usage` for several. */
export function choose(database: Database, jobs: Selection, scope: Scope): FoundJob[] {
  if (isNamed(jobs)) return named(database, jobs, scope);
  const condition = conditionFor(database, jobs === "all" ? {} : jobs, scope.states);
  if (condition === undefined) return [];
  return database.prepare(`SELECT seq, id, state FROM jobs WHERE ${condition.sql} ORDER BY seq`)
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
