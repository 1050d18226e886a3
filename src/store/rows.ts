/**
 * Rows as objects, for every driver: the columns have the same names everywhere. A value that is not of its column's type
 * can only come from a damaged database, and is reported as that.
 */

import { QueuectlError } from "../errors.ts";
import {
  type Attempt,
  type Claim,
  type JobState,
  jobStates,
  type Outcome,
  type RetryRules,
} from "../job/job.ts";
import type { EndedRun, JobProgress, ParentJob } from "./progress.ts";
import type { QueueDefaults } from "./queues.ts";
import type { ListedJob, RegisteredProcess, Role } from "./store.ts";

/** A row by the names of its columns; whole numbers are numbers. */
export type Row = Record<string, unknown>;

/** The columns that {@link jobFromRow} reads. */
export const jobColumns =
  "seq, id, command, state, attempts, max_retries, priority, timeout, base_backoff, cwd, env, " +
  "created_at, updated_at, next_attempt_at, last_error, queue, tags, unique_key, retry_rules, held, blocked";

export function jobFromRow(row: Row): ListedJob {
  return {
    seq: number(row, "seq"),
    ...commonFields(row),
    state: jobState(row),
    attempts: number(row, "attempts"),
    priority: number(row, "priority"),
    env: environment(row) ?? null,
    retryRules: retryRules(row) ?? null,
    createdAt: number(row, "created_at"),
    updatedAt: number(row, "updated_at"),
    nextAttemptAt: numberOrNull(row, "next_attempt_at"),
    lastError: textOrNull(row, "last_error"),
    queue: text(row, "queue"),
    tags: fromJson<string[]>(row, "tags") ?? [],
    uniqueKey: textOrNull(row, "unique_key"),
    // A number in one engine, a truth value in the other.
    held: row.held === 1 || row.held === true,
    // Kept for all; who has begun does not wait any more.
    blocked: ["pending", "failed"].includes(jobState(row)) ? number(row, "blocked") : 0,
  };
}

/** The columns that {@link claimFromRow} reads. */
export const claimColumns =
  "seq, claim, run, id, command, attempts, max_retries, timeout, base_backoff, cwd, env, retry_rules, queue, started_at";

export function claimFromRow(row: Row, now: number): Claim {
  const env = environment(row);
  const rules = retryRules(row);
  const unreadable = env === undefined
    ? "The env"
    : rules === undefined
    ? "What is said of the retries"
    : undefined;
  const startedAt = number(row, "started_at");
  return {
    ...commonFields(row),
    seq: number(row, "seq"),
    claim: number(row, "claim"),
    run: number(row, "run"),
    attempt: number(row, "attempts"),
    env: env ?? null,
    retryRules: rules ?? null,
    queue: text(row, "queue"),
    problem: unreadable === undefined ? null : `${unreadable} of this job is damaged and cannot be read`,
    startedAt,
    elapsed: Math.max(0, now - startedAt),
    elsewhere: row.elsewhere === true,
  };
}

function commonFields(row: Row) {
  return {
    id: text(row, "id"),
    command: text(row, "command"),
    maxRetries: number(row, "max_retries"),
    timeout: numberOrNull(row, "timeout"),
    baseBackoff: numberOrNull(row, "base_backoff"),
    cwd: textOrNull(row, "cwd"),
  };
}

/** The columns that {@link endedRunFromRow} reads. */
export const endedRunColumns = "run, number, worker, started_at, ended_at, outcome, exit_code, signal";

/** The columns that {@link attemptFromRow} reads. */
export const attemptColumns = `${endedRunColumns}, output, error_output`;

export function attemptFromRow(row: Row): Attempt {
  return {
    ...endedRunFromRow(row),
    output: textOrNull(row, "output") ?? "",
    errorOutput: textOrNull(row, "error_output") ?? "",
  };
}

export function endedRunFromRow(row: Row): EndedRun {
  return {
    run: number(row, "run"),
    number: number(row, "number"),
    worker: text(row, "worker"),
    startedAt: number(row, "started_at"),
    endedAt: number(row, "ended_at"),
    outcome: text(row, "outcome") as Outcome["kind"],
    exitCode: numberOrNull(row, "exit_code"),
    signal: textOrNull(row, "signal"),
  };
}

/** The columns that {@link progressFromRow} reads. */
export const progressColumns =
  "seq, id, queue, state, attempts, max_retries, run, cancel_requested, stopped_run, next_attempt_at";

/** How far a job is `now`, by the store's clock. */
export function progressFromRow(row: Row, now: number): JobProgress {
  const dueAt = numberOrNull(row, "next_attempt_at");
  return {
    seq: number(row, "seq"),
    id: text(row, "id"),
    queue: text(row, "queue"),
    state: jobState(row),
    attempts: number(row, "attempts"),
    maxRetries: number(row, "max_retries"),
    run: number(row, "run"),
    // A number in one engine, a truth value in the other.
    cancelling: row.cancel_requested === 1 || row.cancel_requested === true,
    stopped: jobState(row) === "processing" && numberOrNull(row, "stopped_run") === number(row, "run"),
    dueIn: dueAt === null ? null : dueAt - now,
  };
}

/** A job that another one waits for. */
export const parentFromRow = (row: Row): ParentJob => ({
  id: text(row, "id"),
  state: jobState(row),
  kind: text(row, "kind") as ParentJob["kind"],
  queue: text(row, "queue"),
  held: row.held === 1 || row.held === true,
});

function jobState(row: Row): JobState {
  const state = text(row, "state");
  if (!(jobStates as readonly string[]).includes(state)) throw damaged("state");
  return state as JobState;
}

/** The columns that {@link processFromRow} reads. */
export const processColumns =
  "id, role, manager, number, concurrency, host, boot, pid, start, started_at, heartbeat_at, lease_until, stop_grace, queues, pace";

/** A process as it is `now`, by the store's clock, with the ids of its jobs, whose rows come by the id of their worker. */
export function processFromRow(
  row: Row,
  now: number,
  running: ReadonlyMap<number, Row[]>,
): RegisteredProcess {
  const id = number(row, "id");
  const grace = numberOrNull(row, "stop_grace");
  const heartbeatAt = number(row, "heartbeat_at");
  return {
    id,
    role: text(row, "role") as Role,
    manager: numberOrNull(row, "manager"),
    number: number(row, "number"),
    concurrency: number(row, "concurrency"),
    queues: fromJson<string[]>(row, "queues"),
    pace: numberOrNull(row, "pace"),
    identity: {
      host: text(row, "host"),
      boot: text(row, "boot"),
      pid: number(row, "pid"),
      start: text(row, "start"),
    },
    startedAt: number(row, "started_at"),
    heartbeatAt,
    silentFor: Math.max(0, now - heartbeatAt),
    expired: number(row, "lease_until") < now,
    stop: grace === null ? null : { grace },
    running: (running.get(id) ?? []).map((job) => text(job, "id")),
  };
}

/** What {@link queueDefaultsFromRow} reads, with the names. */
export const queueDefaultsSql = (table: string): string =>
  `SELECT name, max_retries, timeout FROM ${table} WHERE max_retries IS NOT NULL OR timeout IS NOT NULL`;

export const queueDefaultsFromRow = (row: Row): QueueDefaults => ({
  maxRetries: numberOrNull(row, "max_retries"),
  timeout: numberOrNull(row, "timeout"),
});

/** Undefined when it cannot be read: one damaged job must not keep all others from being claimed. */
export function environment(row: Row): Record<string, string> | null | undefined {
  const env = storedObject(row, "env");
  const isRight = !env || Object.values(env).every((text) => typeof text === "string");
  return isRight ? env as Record<string, string> | null | undefined : undefined;
}

/** The same. */
export const retryRules = (row: Row): RetryRules | null | undefined => storedObject(row, "retry_rules");

function storedObject(row: Row, column: string): Record<string, unknown> | null | undefined {
  const json = textOrNull(row, column);
  if (json === null) return null;
  try {
    const value = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What this program has stored as JSON; null where there is nothing. */
export function fromJson<T>(row: Row, column: string): T | null {
  const json = textOrNull(row, column);
  if (json === null) return null;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(column);
    throw error;
  }
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw damaged(column);
  return value;
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw damaged(column);
  return value;
}

export const textOrNull = (row: Row, column: string) => row[column] === null ? null : text(row, column);

export const numberOrNull = (row: Row, column: string) => row[column] === null ? null : number(row, column);

/** What to throw where no value, or none of its kind, is in a column. */
export function damaged(column: string): QueuectlError {
  return new QueuectlError(
    "database",
    `The database is damaged: there is no valid value in "${column}"; "queuectl doctor" says more`,
  );
}
