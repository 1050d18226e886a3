/** Filters of jobs as SQL that uses an index wherever there is one. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { type Choice, choiceOf, type Dialect, holdsForAny } from "../filter_sql.ts";
import { isView, type JobFilter, type JobKind, kindsAmong, viewStates } from "../job_filter.ts";
import type { Value } from "../sql.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { blocked, claimable } from "./schema.ts";

/** The dialect of one statement; `add` takes a parameter of it and gives its place. */
export function createDialect(database: Database, add: (value: Value) => string): Dialect {
  const now = database.now();
  return {
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

/** The same without a look at indexes: of jobs that are found by their keys. */
export function plainChoice(dialect: Dialect, filter: JobFilter, among: readonly JobState[]): Choice {
  const { kinds = jobStates } = filter;
  return choiceOf(dialect, filter, holdsForAny(dialect, kindsAmong(kinds, among), among));
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
