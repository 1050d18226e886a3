/** How far jobs are, as stores tell it: types only, and the bound that is in them. */

import type { Attempt, Job, JobState } from "../job/job.ts";

/** How far a job is: what those look at who wait for it or follow it. */
export interface JobProgress {
  seq: number;
  id: string;
  queue: string;
  state: JobState;
  attempts: number;
  maxRetries: number;
  /** The number of its newest run, which goes on while it is processing; 0 before the first. */
  run: number;
  /** It runs, and is to be cancelled. */
  cancelling: boolean;
  /** It runs, and its command was sent SIGSTOP, and not SIGCONT since. */
  stopped: boolean;
  /** Milliseconds until the time it waits for, negative when that is over; null where it waits for none. */
  dueIn: number | null;
}

/** A run that has ended, without what it printed. */
export type EndedRun = Omit<Attempt, "output" | "errorOutput">;

/** A job that another one waits for, or has waited for: until it is completed, or with `any` until it has ended. */
export interface ParentJob {
  id: string;
  state: JobState;
  kind: "success" | "any";
  queue: string;
  held: boolean;
}

/** How many of the jobs that wait for one are named. */
export const namedChildren = 5;

/** Everything about one job but what it printed, at one moment. */
export interface JobDetail extends JobProgress {
  job: Job;
  /** Its runs that have ended, oldest first. */
  runs: EndedRun[];
  /** Where it runs, since when, and for how many milliseconds; null while it does not. */
  running: { host: string | null; pid: number | null; startedAt: number; duration: number } | null;
  /** How many jobs of its queue are claimed before it, at most {@link aheadLimit}; null where it cannot be claimed now. */
  ahead: number | null;
  /** What it waits for or has waited for: first those that have not ended, oldest first. */
  parents: ParentJob[];
  /** The jobs that wait for it: the ids of the first {@link namedChildren}, and how many there are. */
  children: { ids: string[]; count: number };
}

/** Up to which number the jobs before one are counted: a question must not read a million of them. */
export const aheadLimit = 10_000;

/** What runs and what may run next, at one moment. */
export interface Upcoming {
  /** The highest key of all jobs; new ones have higher ones. */
  last: number;
  /** All jobs that are processing, oldest first. */
  running: JobProgress[];
  /** The first of the jobs that can be claimed and of those that wait for a time, with the number of their newest run. */
  next: Array<Pick<JobProgress, "seq" | "run">>;
}
