/** Which jobs are meant, and in which order: the types, and what every driver makes of them in the same way. Pure. */

import { type Job, type JobState, jobStates } from "../job/job.ts";

/**
 * Names for a part of the jobs that are pending or failed: `held` ones wait until somebody lets them go, others that are
 * `scheduled` wait for a time, `blocked` ones wait for other jobs, and `waiting` ones may be claimed now.
 */
export const jobViews = ["scheduled", "waiting", "blocked", "held"] as const;
export type JobView = typeof jobViews[number];

/** A state, or a view. */
export type JobKind = JobState | JobView;

export const isView = (kind: JobKind): kind is JobView => (jobViews as readonly string[]).includes(kind);

/** A point in time: so many milliseconds ago by the store's clock, or that many since 1970. */
export type Moment = { ago: number } | { at: number };

/** Jobs for which all holds that is given; with nothing given, all jobs. */
export interface JobFilter {
  /** Of one of these kinds. */
  kinds?: readonly JobKind[];
  /** This text is in the command or the id; the case of A to Z does not matter. */
  search?: string;
  createdSince?: Moment;
  /** Not changed since then. */
  unchangedSince?: Moment;
  /** In one of these queues. */
  queues?: readonly string[];
  /** With all of these tags. */
  tags?: readonly string[];
}

/** Jobs named by id or a unique prefix of it, or those of a filter that the operation is about. */
export type Selection = readonly string[] | JobFilter | "all";

export const isNamed = (jobs: Selection): jobs is readonly string[] => Array.isArray(jobs);

/** What jobs can be sorted by. */
export const sortFields = ["created", "updated", "priority", "attempts", "state", "id"] as const;
export type SortField = typeof sortFields[number];

export interface Sort {
  by: SortField;
  descending: boolean;
}

/** The column that jobs are sorted by; those of one value come in the order of their keys, see {@link Order}. */
export const sortColumn: Record<SortField, string> = {
  created: "seq",
  updated: "updated_at",
  priority: "priority",
  attempts: "attempts",
  state: "state",
  id: "id",
};

/** A job with the store's key of it. */
export interface ListedJob extends Job {
  seq: number;
}

/** The place of a job in an order, behind which a next page begins. */
export interface Position {
  value: string | number;
  seq: number;
}

/** The place of a job in the order by a field. */
export function positionOf(job: ListedJob, by: SortField): Position {
  const { seq } = job;
  const values = {
    created: seq,
    updated: job.updatedAt,
    priority: job.priority,
    attempts: job.attempts,
    state: job.state,
    id: job.id,
  };
  return { value: values[by], seq };
}

/** Which jobs to list: the first `limit` in the order of `sort`; without it the newest `limit`, oldest first. */
export interface ListFilter extends JobFilter {
  sort?: Sort;
  /** Only what comes behind it; without `sort`, only what is older. */
  after?: Position;
  /** Only jobs with these keys. */
  keys?: readonly number[];
  limit: number;
}

/** The keys of a page of jobs, and the place behind which the next page begins; null where there are no more jobs. */
export interface PageOfKeys {
  keys: number[];
  end: Position | null;
}

/** An order to the end: which of two jobs of one value comes first. */
export interface Order extends Sort {
  /** The younger one. */
  keysDescend: boolean;
}

/**
 * The order in which a list is read, which is the other way round where it is to end with the newest. Jobs of one priority
 * come as they run, the oldest first, in either direction.
 */
export function readingOrder({ sort }: ListFilter): Order {
  const order = sort ?? { by: "created", descending: true };
  return { ...order, keysDescend: order.descending && order.by !== "priority" };
}

/** Whether a list is in the order of the keys, one way or the other. */
export const isByAge = (filter: ListFilter): boolean => readingOrder(filter).by === "created";

/** The kinds that are left of those asked for, where an operation is about some states only. */
export function kindsAmong(kinds: readonly JobKind[], states: readonly JobState[]): JobKind[] {
  return [...new Set(kinds)].filter((kind) => isView(kind) || states.includes(kind));
}

/** The states that jobs of a view can have, of those an operation is about. */
export const viewStates = (states: readonly JobState[]): JobState[] =>
  states.filter((state) => state === "pending" || state === "failed");

/** What is looked for as a pattern of LIKE with `\` as escape. */
export const likePattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;

/** States as a list of SQL literals. */
export const stateList = (states: readonly JobState[]): string =>
  jobStates.filter((state) => states.includes(state)).map((state) => `'${state}'`).join(", ") || "NULL";

/**
 * An SQL expression for the first key from which on jobs are not older than `time`, found in steps of halves: as if
 * times went up with the keys. Where a clock was set back they do not, so `time` has to be earlier than what is looked
 * for, and each job found has to be looked at.
 */
export const firstKeySince = (jobs: string, time: string): string =>
  `(
  WITH RECURSIVE halves (older, step) AS (
    SELECT cast(0 AS bigint), 1099511627776
    UNION ALL
    SELECT CASE WHEN (
        SELECT created_at FROM ${jobs} WHERE seq >= older + step ORDER BY seq LIMIT 1
      ) < ${time} THEN older + step ELSE older END, step / 2
    FROM halves WHERE step > 0
  )
  SELECT older + 1 FROM halves WHERE step = 0
)`;

/** Milliseconds by which what uses {@link firstKeySince} looks further: no clock is set back by more. */
export const clockTolerance = 86_400_000;
