/** The job and everything that is said about it: types only, shared by stores, workers and commands. */

import type { BackoffKind } from "./settings.ts";

/** Where a job is in its life; the order is the one in which `status` prints them. */
export const jobStates = [
  "pending",
  "processing",
  "completed",
  "failed",
  "dead",
  "cancelled",
] as const;

/**
 * `pending` waits to be claimed, `processing` runs, `failed` waits for its retry, `dead` has used up its attempts
 * (it is in the dead letter queue), `completed` and `cancelled` are final.
 */
export type JobState = typeof jobStates[number];

/** What of its retries a job does not leave to the settings. */
export interface RetryRules {
  backoff?: BackoffKind;
  /** Milliseconds; no delay is longer. */
  maxBackoff?: number;
  /** The part of every delay, from 0 to 1, that chance takes away or leaves. */
  jitter?: number;
  /** Exit statuses after which alone it is retried. */
  retryOn?: readonly number[];
  /** Exit statuses after which it is dead at once. */
  noRetryOn?: readonly number[];
}

/** What becomes of a job whose unique key another one has that has not ended. */
export const duplicatePolicies = ["reject", "keep", "replace"] as const;
export type DuplicatePolicy = typeof duplicatePolicies[number];

/** The queue of jobs that name none. */
export const defaultQueueName = "default";

/** A job as it is handed to a store: checked, with every default that is fixed at enqueue filled in. */
export interface NewJob {
  id: string;
  /** Shell text, run by `/bin/sh` (`cmd.exe` on Windows). */
  command: string;
  /** Runs that have failed already; 0 but for jobs that come from elsewhere. */
  attempts: number;
  /** Retries after the first run; the job is dead once `attempts > maxRetries`. */
  maxRetries: number;
  /** Higher is claimed first; jobs of one priority are claimed in the order they came. */
  priority: number;
  /** Milliseconds a run may take, 0 for no limit, null for the configured `timeout`. */
  timeout: number | null;
  /** Base of the retry delay in seconds, null for the configured `base-backoff`. */
  baseBackoff: number | null;
  /** Folder the command runs in, null for the worker's. */
  cwd: string | null;
  /** Variables added to the worker's environment. */
  env: Record<string, string> | null;
  /** Milliseconds after it is stored, by the store's clock, before which it does not run. */
  delay?: number;
  /** A time, in milliseconds since 1970, before which it does not run; one that is past is no wait. */
  at?: number;
  /** The queue it is in; {@link defaultQueueName} where none is given. A queue is made by its first job. */
  queue?: string;
  /** Words by which it can be found. */
  tags?: readonly string[];
  /** No other job that has not ended has this text. */
  uniqueKey?: string;
  /** With `uniqueKey`; rejected where it is not given. */
  onDuplicate?: DuplicatePolicy;
  retryRules?: RetryRules;
  /** It does not run before it is released. */
  held?: boolean;
  /** Ids of jobs that have to be completed before it runs. */
  after?: readonly string[];
  /** Ids of jobs that have to have ended before it runs, however. */
  afterAny?: readonly string[];
}

/** The fields of a new job that only some have, and what stands for them in a stored one. */
type Extras = "queue" | "tags" | "uniqueKey" | "onDuplicate" | "retryRules" | "held" | "after" | "afterAny";

/** When a job is to run: in so many milliseconds, or at a time; null is now. */
export type Start = { delay: number } | { at: number } | null;

/** What of a waiting or ended job can be changed; a field that is not there stays as it is. */
export interface JobChanges
  extends Partial<Omit<NewJob, "id" | "attempts" | "env" | "delay" | "at" | Extras>> {
  /** In the place of all that there were. */
  tags?: readonly string[];
  /** Variables that are set, or with null removed; all others stay. */
  env?: Record<string, string | null>;
  /** Rules that are set, or with null left to the settings; all others stay. */
  retryRules?: { [Rule in keyof RetryRules]: RetryRules[Rule] | null };
}

/** A job as it is stored. Times are milliseconds since 1970, UTC. */
export interface Job extends Omit<NewJob, "delay" | "at" | Extras> {
  state: JobState;
  queue: string;
  tags: readonly string[];
  uniqueKey: string | null;
  retryRules: RetryRules | null;
  held: boolean;
  /** How many jobs it still waits for. */
  blocked: number;
  createdAt: number;
  updatedAt: number;
  /** When a job is due that waits for a time: one that was put off (pending), or that has failed; null for all others. */
  nextAttemptAt: number | null;
  /** What the last run failed with; null when it did not fail. */
  lastError: string | null;
}

/** A job that was claimed for one run. */
export interface Claim {
  /** The store's key of the job. */
  seq: number;
  /** Raised by every claim and take-over: a result is recorded only while it is the newest (a fencing number). */
  claim: number;
  /** The number of this run among all the job ever had; it never goes back, unlike `attempt`. */
  run: number;
  id: string;
  command: string;
  /** The attempt that this run is, counted from 1. */
  attempt: number;
  maxRetries: number;
  timeout: number | null;
  baseBackoff: number | null;
  cwd: string | null;
  env: Record<string, string> | null;
  retryRules: RetryRules | null;
  queue: string;
  /** Why it cannot be run, where what is stored of it is damaged. */
  problem: string | null;
  /** When the run was claimed first, in milliseconds since 1970; a take-over keeps it. */
  startedAt: number;
  /** Milliseconds since then, by the store's clock. */
  elapsed: number;
  /** Runs before this one, in a row, that have asked for a later try. */
  postponed: number;
  /** It was claimed first on another host, from which nothing is in the spool of this one. */
  elsewhere: boolean;
  /** A rate counts the run from when its command begins: the store waits to be told. */
  rated: boolean;
}

/** How a run ended. A failed command is data, never an exception. */
export type Outcome =
  | { kind: "exited"; code: number }
  /** `code` is 128 plus the number of the signal, as shells report it. */
  | { kind: "signaled"; signal: string; code: number }
  /** `timeout` in milliseconds. */
  | { kind: "timed_out"; timeout: number }
  | { kind: "spawn_failed"; message: string }
  | { kind: "lost"; message: string }
  | { kind: "handed_back" }
  | { kind: "cancelled" };

export const outcomeKinds: ReadonlyArray<Outcome["kind"]> = [
  "exited",
  "signaled",
  "timed_out",
  "spawn_failed",
  "lost",
  "handed_back",
  "cancelled",
];

/** A run that ended, as it is recorded for its job. */
export interface Finished {
  seq: number;
  /** That of the job, which stays in it while it runs. */
  queue: string;
  claim: number;
  run: number;
  attempt: number;
  startedAt: number;
  outcome: Outcome;
  output: string;
  errorOutput: string;
  next: NextStep;
  /** When it ended, in milliseconds since 1970 by the store's clock, where that is not just now. */
  endedAt?: number;
  /** The name of the worker that ran it, where that is another one. */
  worker?: string;
}

/**
 * What becomes of a job after a run; `delay` is milliseconds until the next one, `reason` why there is none although
 * retries may be left. The attempt of a job that is pending again does not count.
 */
export type NextStep =
  | { state: "completed" }
  | { state: "failed"; delay: number; error: string }
  | { state: "dead"; error: string; reason?: string }
  | { state: "pending"; delay?: number; error?: string }
  | { state: "cancelled"; error?: string };

/** One run of a job as it is kept. */
export interface Attempt {
  run: number;
  number: number;
  worker: string;
  startedAt: number;
  endedAt: number;
  outcome: Outcome["kind"];
  exitCode: number | null;
  signal: string | null;
  output: string;
  errorOutput: string;
}
