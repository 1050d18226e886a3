/**
 * Rows as objects, for every driver: the columns have the same names everywhere. A value that is not of its column's type
 * can only come from a damaged database, and is reported as that (columns.ts).
 */

import { QueuectlError } from "../base/errors.ts";
import { type BackoffKind, backoffKinds } from "../job/settings.ts";
import {
  type Attempt,
  type Claim,
  type JobState,
  jobStates,
  outcomeKinds,
  type RetryRules,
} from "../job/job.ts";
import type { EndedRun, JobProgress, ParentJob } from "./progress.ts";
import {
  moment,
  momentOrNull,
  number,
  numberOrNull,
  oneOf,
  realOrNull,
  type Row,
  text,
  textOrNull,
  textsOrNull,
} from "./columns.ts";
import type { FoundJob } from "./errors.ts";
import type { RegisteredProcess } from "./registration.ts";
import type { ListedJob } from "./job_filter.ts";

export { damaged, number, numberOrNull, type Row, text, textOrNull } from "./columns.ts";

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
    createdAt: moment(row, "created_at"),
    updatedAt: moment(row, "updated_at"),
    nextAttemptAt: momentOrNull(row, "next_attempt_at"),
    lastError: textOrNull(row, "last_error"),
    queue: text(row, "queue"),
    tags: textsOrNull(row, "tags") ?? [],
    uniqueKey: textOrNull(row, "unique_key"),
    // A number in one engine, a truth value in the other.
    held: row.held === 1 || row.held === true,
    // Kept for all; who has begun does not wait any more.
    blocked: ["pending", "failed"].includes(jobState(row)) ? number(row, "blocked") : 0,
  };
}

/** The columns that {@link claimFromRow} reads. */
export const claimColumns =
  "seq, claim, run, id, command, attempts, max_retries, timeout, base_backoff, cwd, env, retry_rules, queue, started_at, " +
  "postponed";

/**
 * A claim. A job whose fields cannot be read is claimed all the same, with what is wrong as its `problem`: so its run fails
 * with these words, and it is dead, and is not claimed again and again. Throws `database` where it is not even
 * {@link isClaimable}.
 */
export function claimFromRow(row: Row, now: number): Claim {
  try {
    return soundClaim(row, now);
  } catch (error) {
    if (!(error instanceof QueuectlError)) throw error;
    const id = text(row, "id");
    const nothing = {
      max_retries: 0,
      timeout: null,
      base_backoff: null,
      cwd: null,
      env: null,
      retry_rules: null,
      postponed: 0,
    };
    const { seq, claim, run, queue, rated } = row;
    const attempts = Number.isSafeInteger(row.attempts) ? row.attempts : 1;
    const readable = {
      ...nothing,
      seq,
      claim,
      run,
      queue,
      rated,
      id,
      command: "",
      attempts,
      started_at: now,
    };
    return { ...soundClaim(readable, now), problem: error.message };
  }
}

/** Whether a row has what says which run of which job a claim is. */
export const isClaimable = (row: Row): boolean =>
  Number.isSafeInteger(row.seq) && Number.isSafeInteger(row.claim) && Number.isSafeInteger(row.run) &&
  typeof row.id === "string" && typeof row.queue === "string";

function soundClaim(row: Row, now: number): Claim {
  const env = environment(row);
  const rules = retryRules(row);
  const unreadable = env === undefined
    ? "The env"
    : rules === undefined
    ? "What is said of the retries"
    : undefined;
  const startedAt = moment(row, "started_at");
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
    postponed: number(row, "postponed"),
    elsewhere: row.elsewhere === true,
    // A number in one engine, a truth value in the other.
    rated: row.rated === 1 || row.rated === true,
  };
}

function commonFields(row: Row) {
  return {
    id: text(row, "id"),
    command: text(row, "command"),
    maxRetries: number(row, "max_retries"),
    timeout: numberOrNull(row, "timeout"),
    baseBackoff: realOrNull(row, "base_backoff"),
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
    startedAt: moment(row, "started_at"),
    endedAt: moment(row, "ended_at"),
    outcome: oneOf(row, "outcome", outcomeKinds),
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
  kind: oneOf(row, "kind", ["success", "any"]),
  queue: text(row, "queue"),
  held: row.held === 1 || row.held === true,
});

export const jobState = (row: Row): JobState => oneOf(row, "state", jobStates);

/** What a state transition knows of a job. */
export const foundJob = (row: Row): FoundJob => ({
  seq: number(row, "seq"),
  id: text(row, "id"),
  state: jobState(row),
  queue: text(row, "queue"),
});

/** A setting and its text, as they are stored. */
export const settingFromRow = (row: Row): [string, string] => [text(row, "key"), text(row, "value")];

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
  const heartbeatAt = moment(row, "heartbeat_at");
  return {
    id,
    role: oneOf(row, "role", ["manager", "worker"]),
    manager: numberOrNull(row, "manager"),
    number: number(row, "number"),
    concurrency: number(row, "concurrency"),
    queues: textsOrNull(row, "queues"),
    pace: realOrNull(row, "pace"),
    identity: {
      host: text(row, "host"),
      boot: text(row, "boot"),
      pid: number(row, "pid"),
      start: text(row, "start"),
    },
    startedAt: moment(row, "started_at"),
    heartbeatAt,
    silentFor: Math.max(0, now - heartbeatAt),
    expired: number(row, "lease_until") < now,
    stop: grace === null ? null : { grace },
    running: (running.get(id) ?? []).map((job) => text(job, "id")),
  };
}

/** Undefined when it cannot be read: one damaged job must not keep all others from being claimed. */
export function environment(row: Row): Record<string, string> | null | undefined {
  const env = storedObject(row, "env");
  const isRight = !env || Object.values(env).every((text) => typeof text === "string");
  return isRight ? env as Record<string, string> | null | undefined : undefined;
}

/** The same. */
export function retryRules(row: Row): RetryRules | null | undefined {
  const rules = storedObject(row, "retry_rules");
  if (!rules) return rules;
  const { backoff, maxBackoff, jitter, retryOn, noRetryOn } = rules;
  const isNumber = (value: unknown) => value === undefined || Number.isFinite(value);
  const isList = (value: unknown) =>
    value === undefined || Array.isArray(value) && value.every(Number.isSafeInteger);
  const isRight = (backoff === undefined || backoffKinds.includes(backoff as BackoffKind)) &&
    isNumber(maxBackoff) && isNumber(jitter) && isList(retryOn) && isList(noRetryOn);
  return isRight ? rules : undefined;
}

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
