/** Jobs that are chosen: by a filter, as SQL that uses an index wherever there is one, or by their ids. */

import type { SQLInputValue } from "node:sqlite";
import { type JobState, jobStates } from "../../job/job.ts";
import type { FoundJob, Scope } from "../refusals.ts";
import {
  isCreatedUpTo,
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
import type { Span } from "../key_parts.ts";
import { keySince } from "./ages.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { requireJob } from "./queries.ts";
import { noteChanges } from "./recency.ts";
import { blocked, claimable } from "./schema.ts";
import { all, bestOf, spanList, type Way, wayOfQueuesAndTags, wayOfText } from "./ways.ts";

/** A condition on jobs with its named parameters. */
export interface Condition {
  sql: string;
  parameters: Record<string, SQLInputValue>;
}

/** Jobs that are chosen: what is read for them, and the column of it that has their keys, in whose order it is read. */
export interface Choice extends Condition {
  from: string;
  key: string;
  /** How many are read at most; Infinity for all there are. */
  size: number;
  /** The keys that are read, where they are given by the parameter `:spans`. */
  spans?: readonly Span[];
  /** Reads these keys, and perhaps others, from an index alone. */
  keysSql?: string;
}

/**
 * The jobs of a filter, among those of these states; undefined where there are none. Read in the transaction that uses
 * it. `isByAge` says that they are read in the order of their keys, up to some number; `isByKeys`, that those are given.
 */
export function conditionFor(
  database: Database,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
  { isByAge = false, isByKeys = false }: { isByAge?: boolean; isByKeys?: boolean } = {},
): Choice | undefined {
  const parameters: Condition["parameters"] = {};
  const conditions: string[] = [];
  const moment = (name: string, moment: Moment) => {
    parameters[name] = "at" in moment ? moment.at : database.now() - moment.ago;
    return `:${name}`;
  };
  const bounds: Array<(key: string) => string> = [];
  if (filter.createdSince !== undefined) {
    const since = moment("since", filter.createdSince);
    bounds.push((key) => `${key} >= ${keySince(since)}`);
    conditions.push(`created_at >= ${since}`);
  }
  if (filter.unchangedSince !== undefined) {
    const unchanged = moment("unchanged", filter.unchangedSince);
    bounds.push((key) => isCreatedUpTo(key, "jobs", unchanged));
    conditions.push(`updated_at <= ${unchanged}`);
  }
  const isOfAge = (key: string) => bounds.map((bound) => ` AND ${bound(key)}`).join("");
  const ways: Way[] = [];
  let holds = "";
  if (filter.kinds !== undefined || among.length < jobStates.length) {
    const kinds = wayOfKinds(database, kindsAmong(filter.kinds ?? jobStates, among), among);
    if (kinds === undefined) return undefined;
    ways.push(kinds.way);
    holds = kinds.holds;
    if (holds.includes(":now")) parameters.now = database.now();
  }
  const narrow = wayOfQueuesAndTags(database, filter, parameters, { other: ways[0], isByAge });
  if (narrow === undefined) return undefined;
  ways.push(...narrow.ways);
  const { size: best } = bestOf(ways);
  const byText = isByKeys ? undefined : wayOfText(database, filter, { size: best, isByAge });
  if (byText !== undefined) ways.push(byText);
  // What takes longer comes last, and what holds for most.
  conditions.push(...narrow.ofQueues);
  if (filter.search !== undefined) {
    parameters.search = likePattern(filter.search);
    conditions.push("(command LIKE :search ESCAPE '\\' OR id LIKE :search ESCAPE '\\')");
  }
  conditions.push(...narrow.ofTags);
  if (holds !== "") {
    if (holds.includes("<>")) conditions.push(holds);
    else conditions.unshift(holds);
  }
  const { from = "jobs", key = "seq", size, spans, keysSql, where } = bestOf(ways);
  if (spans !== undefined) parameters.spans = spanList(spans);
  const sql = [`${where(isOfAge)}${isOfAge(key)}`, ...conditions].join(" AND ");
  return { from, key, size, spans, keysSql, sql, parameters };
}

/**
 * How jobs of some kinds are found: by keys that indexes give without a look at the jobs, and then by what has to hold
 * for them. There is no index on completed jobs. Nor are those that wait read by theirs where they are more than a
 * fifth of a queue: sorting the keys takes longer than reading past the others.
 */
function wayOfKinds(
  database: Database,
  kinds: readonly JobKind[],
  among: readonly JobState[],
): { way: Way; holds: string } | undefined {
  const { died: _, ...counts } = readCounters(database);
  const sum = (states: readonly JobState[]) => states.reduce((sum, state) => sum + counts[state], 0);
  const sizeOf = (kind: JobKind) => isView(kind) ? sum(viewStates(among)) : counts[kind];
  const present = kinds.filter((kind) => sizeOf(kind) > 0);
  if (present.length === 0) return undefined;
  const areWaitingFew = (counts.pending + counts.failed) * 5 < sum(jobStates);
  const areFew = (kind: JobKind) => areWaitingFew || kind === "scheduled" && areScheduledFew(database);
  const indexes = [...new Set(present.flatMap((kind) => indexesOf(kind, areFew(kind))))];
  const holds = holdsForAny(present, among);
  if (indexes.includes(undefined)) return { way: all, holds };
  const size = present.reduce((sum, kind) => sum + sizeOf(kind), 0);
  // In the order of its index; a list of keys would have to be made first.
  if (indexes.length === 1 && indexes[0]?.includes("set_aside")) {
    return {
      way: { size, keysSql: `SELECT seq FROM jobs WHERE ${indexes[0]}`, where: () => indexes[0]! },
      holds,
    };
  }
  const where: Way["where"] = (isOfAge) =>
    `seq IN (${
      indexes.map((where) => `SELECT seq FROM jobs WHERE ${where}${isOfAge("seq")}`).join(" UNION ALL ")
    })`;
  return { way: { size, where }, holds };
}

export const running = "worker IS NOT NULL";

/** Conditions that have an index each, and together hold for the jobs of a kind; undefined where all are to be read. */
export function indexesOf(kind: JobKind, areFew: boolean): Array<string | undefined> {
  switch (kind) {
    case "processing":
      return [running];
    case "dead":
    case "cancelled":
      return [`state = '${kind}' AND set_aside IS NOT NULL`];
    case "pending":
      return areFew ? [claimable, ...putOff] : [undefined];
    case "waiting":
      return areFew ? [claimable, "next_attempt_at IS NOT NULL"] : [undefined];
    case "failed":
      // Few of those that may be claimed are failed: they come first.
      return areFew ? [`state = 'failed' AND ${claimable}`, ...putOff] : [undefined];
    case "scheduled":
      return areFew ? ["next_attempt_at IS NOT NULL"] : [undefined];
    case "blocked":
      return [blocked];
    case "held":
      return ["held = 1"];
    case "completed":
      return [undefined];
  }
}

/** From so many on it takes less time to read past the others than to sort their keys. */
const mostScheduled = 50_000;

const areScheduledFew = (database: Database) =>
  database.prepare(`
    SELECT 1 FROM jobs WHERE next_attempt_at IS NOT NULL LIMIT 1 OFFSET ${mostScheduled}`).get() ===
    undefined;

/** What keeps jobs from being claimed that wait. */
const putOff = ["next_attempt_at IS NOT NULL", "held = 1", blocked];

/** What holds for the jobs of some kinds, in as few comparisons as there can be. */
function holdsForAny(kinds: readonly JobKind[], among: readonly JobState[]): string {
  const others = jobStates.filter((state) => !kinds.includes(state));
  if (kinds.some(isView) || others.length * 2 >= jobStates.length) {
    return `(${kinds.map((kind) => holdsFor(kind, among)).join(" OR ")})`;
  }
  return others.map((state) => `+state <> '${state}'`).join(" AND ") || "true";
}

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
      return `${states} AND +blocked > 0 AND +held = 0`;
  }
}

/** The jobs of a selection that an operation is about. Throws `not_found`, `conflict`, or `usage` for several. */
export function choose(database: Database, jobs: Selection, scope: Scope): FoundJob[] {
  if (isNamed(jobs)) return named(database, jobs, scope);
  const condition = conditionFor(database, jobs === "all" ? {} : jobs, scope.states);
  if (condition === undefined) return [];
  const { from, sql, key, parameters } = condition;
  return database.prepare(`SELECT seq, id, state, queue FROM ${from} WHERE ${sql} ORDER BY ${key}`)
    .all(parameters) as never;
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

/** The same, with the time as `:now`, where it changes when they were updated last. */
export function changeAt(
  database: Database,
  statement: string,
  jobs: readonly { seq: number }[],
  now: number,
  parameters: Condition["parameters"] = {},
): void {
  change(database, statement, jobs, { ...parameters, now });
  noteChanges(database, jobs.map(({ seq }) => seq), now);
}
