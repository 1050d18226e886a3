/** Filters and orders of jobs as SQL: the same for both stores, but for a dialect of a few functions. */

import { defaultQueueName, type JobState, jobStates } from "../job/job.ts";
import {
  clockTolerance,
  firstKeySince,
  isView,
  type JobFilter,
  type JobKind,
  likePattern,
  type ListFilter,
  type Moment,
  readingOrder,
  sortColumn,
  stateList,
  viewStates,
} from "./job_filter.ts";

/** What the SQL of one store has of its own. A function that takes a value adds it to the parameters of the statement. */
export interface Dialect {
  /** The names of the tables. */
  jobs: string;
  tags: string;
  integer(value: number): string;
  text(value: string): string;
  /** A point in time, in milliseconds since 1970. */
  moment(moment: Moment): string;
  /** Holds where a column is one of these numbers. */
  isAmong(column: string, values: readonly number[]): string;
  /** Holds where a column is like a pattern of LIKE with `\` as escape; the case of A to Z does not matter. */
  isLike(column: string, pattern: string): string;
  /** A column in a condition for which a store is to use no index. */
  plain(column: string): string;
  /** A column to sort some jobs by, for which a store is not to read all jobs in the order of an index. */
  sorted(column: string): string;
}

/** Jobs that are chosen: what is read for them, the column of it that has their keys, and what holds for them. */
export interface Choice {
  from: string;
  key: string;
  conditions: string[];
}

/**
 * The jobs of a filter; `ofKinds` holds for those of its kinds. Jobs with a tag are found by the keys that belong to the tag,
 * those of other queues than the default one, which most jobs are in, by an index of their keys.
 */
export function choiceOf(dialect: Dialect, filter: JobFilter, ofKinds?: string): Choice {
  const { jobs, tags } = dialect;
  const { createdSince, unchangedSince, queues, search } = filter;
  const [tag, ...otherTags] = new Set(filter.tags);
  const key = tag === undefined ? "seq" : "tagged.job";
  const conditions: string[] = [];
  if (tag !== undefined) conditions.push(`tagged.tag = ${dialect.text(tag)}`, "jobs.seq = tagged.job");
  if (createdSince !== undefined) {
    const since = dialect.moment(createdSince);
    const first = firstKeySince(jobs, `${since} - ${clockTolerance}`);
    conditions.push(`${key} >= ${first}`, `created_at >= ${since}`);
  }
  if (unchangedSince !== undefined) conditions.push(`updated_at <= ${dialect.moment(unchangedSince)}`);
  if (ofKinds !== undefined) conditions.push(ofKinds);
  if (queues !== undefined) {
    conditions.push(`queue IN (${queues.map((queue) => dialect.text(queue)).join(", ") || "NULL"})`);
    if (!queues.includes(defaultQueueName)) conditions.push(`queue <> '${defaultQueueName}'`);
  }
  for (const other of otherTags) {
    const name = dialect.text(other);
    conditions.push(
      `EXISTS (SELECT 1 FROM ${tags} AS other WHERE other.tag = ${name} AND other.job = ${key})`,
    );
  }
  if (search !== undefined) {
    const pattern = dialect.text(likePattern(search));
    conditions.push(`(${dialect.isLike("command", pattern)} OR ${dialect.isLike("id", pattern)})`);
  }
  return { from: tag === undefined ? jobs : `${tags} AS tagged CROSS JOIN ${jobs} AS jobs`, key, conditions };
}

/** Holds for the jobs of these kinds, as far as they are in one of the states `among`. */
export function holdsForAny(
  dialect: Dialect,
  kinds: readonly JobKind[],
  among: readonly JobState[] = jobStates,
): string {
  const states = kinds.filter((kind) => !isView(kind)) as JobState[];
  const views = kinds.filter(isView);
  const of = (states: readonly JobState[]) => `${dialect.plain("state")} IN (${stateList(states)})`;
  const [held, blocked, due] = ["held", "blocked", "next_attempt_at"].map(dialect.plain);
  const now = views.some((view) => view === "scheduled" || view === "waiting")
    ? dialect.moment({ ago: 0 })
    : "";
  const holds = {
    held,
    scheduled: `${due} > ${now} AND NOT ${held}`,
    waiting: `(${dialect.plain("available")} OR ${due} <= ${now} AND NOT ${held} AND ${blocked} = 0)`,
    blocked: `${blocked} > 0 AND NOT ${held}`,
  };
  const each = views.map((view) => `${of(viewStates(among))} AND ${holds[view]}`);
  if (states.length > 0 || each.length === 0) each.unshift(of(states));
  return each.length === 1 ? each[0] : `(${each.join(" OR ")})`;
}

/** Reads some columns of the jobs of a list, in the order in which they are read. */
export function listStatement(dialect: Dialect, filter: ListFilter, choice: Choice, columns: string): string {
  const { from, key } = choice;
  const { by, descending, keysDescend } = readingOrder(filter);
  const conditions = [...choice.conditions];
  const column = by === "created"
    ? key
    : conditions.length === 0 && by === "id"
    ? sortColumn[by]
    : dialect.sorted(sortColumn[by]);
  if (filter.after !== undefined) {
    const { value, seq } = filter.after;
    const [sign, keySign] = [descending, keysDescend].map((isDown) => isDown ? "<" : ">");
    const isBehindKey = `${key} ${keySign} ${dialect.integer(seq)}`;
    if (by === "created") conditions.unshift(isBehindKey);
    else {
      const place = typeof value === "string" ? dialect.text(value) : dialect.integer(value);
      conditions.unshift(`${column} ${sign}= ${place}`, `(${column} ${sign} ${place} OR ${isBehindKey})`);
    }
  }
  if (filter.keys !== undefined) conditions.unshift(dialect.isAmong(key, filter.keys));
  const keyOrder = `${key} ${keysDescend ? "DESC" : "ASC"}`;
  const order = by === "created" ? keyOrder : `${column} ${descending ? "DESC" : "ASC"}, ${keyOrder}`;
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const limit = filter.limit === Infinity ? "" : `LIMIT ${dialect.integer(filter.limit)} + 0`;
  return `SELECT ${columns} FROM ${from} ${where} ORDER BY ${order} ${limit}`;
}
