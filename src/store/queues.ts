/** Queues as a store knows them. A queue is made by its first job, or by setting something of it. */

import type { JobState } from "../job/job.ts";
import { damaged, numberOrNull, type Row, text } from "./columns.ts";

/** The name under which all queues together are paused and limited; no job is in it. */
export const allQueues = "";

/** Into so many parts the period of a rate is divided; what is started in one of them counts at its end. */
export const grains = 1000;

/** What is decided for the jobs of a queue; null where nothing is. */
export interface QueueSettings {
  /** None of its jobs is started; those that run go on. */
  paused: boolean;
  /** The most of its jobs that run at once, on all hosts together. */
  concurrency: number | null;
  /** The most commands of its jobs that begin within any {@link ratePeriod}. */
  rate: number | null;
  /** Milliseconds. */
  ratePeriod: number | null;
  /** What new jobs have that say nothing of it. */
  maxRetries: number | null;
  /** Milliseconds, 0 for no limit: what new jobs have that say nothing of it. */
  timeout: number | null;
}

/** What a queue has for new jobs. */
export type QueueDefaults = Pick<QueueSettings, "maxRetries" | "timeout">;

/** A queue with the number of its jobs in every state. */
export interface Queue extends QueueSettings {
  name: string;
  /** Milliseconds until its rate lets another job start; null where it does now, or there is none. */
  nextStart: number | null;
  counts: Record<JobState, number>;
}

/** What {@link queueDefaultsFromRow} reads, with the names. */
export const queueDefaultsSql = (table: string): string =>
  `SELECT name, max_retries, timeout FROM ${table} WHERE max_retries IS NOT NULL OR timeout IS NOT NULL`;

export const queueDefaultsFromRow = (row: Row): QueueDefaults => ({
  maxRetries: numberOrNull(row, "max_retries"),
  timeout: numberOrNull(row, "timeout"),
});

/** The columns that {@link queuesFromRows} reads. */
export const queueColumns = "name, paused, concurrency, rate, rate_period, max_retries, timeout";

/**
 * All queues from their rows by name, each with the counts of its jobs and when its rate lets it go on. Throws `database` where {@link allQueues} is
 * missing, which is always there.
 */
export function queuesFromRows(
  rows: readonly Row[],
  countsOf: (name: string) => Queue["counts"],
  nextStartOf: (row: Row) => number | null,
): Queue[] {
  if (rows[0]?.name !== allQueues) throw damaged("name");
  return rows.map((row) => queueFromRow(row, countsOf(text(row, "name")), nextStartOf(row)));
}

function queueFromRow(row: Row, counts: Queue["counts"], nextStart: number | null): Queue {
  return {
    name: text(row, "name"),
    nextStart,
    // A number in one engine, a truth value in the other.
    paused: row.paused === 1 || row.paused === true,
    concurrency: numberOrNull(row, "concurrency"),
    rate: numberOrNull(row, "rate"),
    ratePeriod: numberOrNull(row, "rate_period"),
    ...queueDefaultsFromRow(row),
    counts,
  };
}

/** Jobs that are pending or failed and cannot be claimed now, each counted once, by the first of these that keeps it. */
export interface KeptBack {
  /** Until somebody releases them. */
  held: number;
  /** By jobs that they wait for. */
  blocked: number;
  /** Until a time: put off, or their retry. */
  scheduled: number;
  /** By the pause of their queue, or of all. */
  paused: number;
}

/** When a worker can get a job. */
export interface Availability {
  /** A job can be claimed now. */
  ready: boolean;
  /** Milliseconds until a job becomes due, or a queue may start another one; null: none waits for a time. */
  dueIn: number | null;
}
