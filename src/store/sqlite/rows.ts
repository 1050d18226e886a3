/** Rows as objects: the one place that knows the column names in both directions. */

import type { Attempt, Claim, Job, JobState, Outcome } from "../../job/job.ts";
import type { Row } from "./database.ts";

export function jobFromRow(row: Row): Job {
  return {
    id: row.id as string,
    command: row.command as string,
    state: row.state as JobState,
    attempts: row.attempts as number,
    maxRetries: row.max_retries as number,
    priority: row.priority as number,
    timeout: row.timeout as number | null,
    baseBackoff: row.base_backoff as number | null,
    cwd: row.cwd as string | null,
    env: environment(row) ?? null,
    createdAt: row.created_at as number,
    updatedAt: row.updated_at as number,
    nextAttemptAt: row.next_attempt_at as number | null,
    lastError: row.last_error as string | null,
  };
}

/** The columns that {@link claimFromRow} reads. */
export const claimColumns =
  "seq, claim, run, id, command, attempts, max_retries, timeout, base_backoff, cwd, env, started_at";

export function claimFromRow(row: Row, now: number): Claim {
  const env = environment(row);
  return {
    seq: row.seq as number,
    claim: row.claim as number,
    run: row.run as number,
    id: row.id as string,
    command: row.command as string,
    attempt: row.attempts as number,
    maxRetries: row.max_retries as number,
    timeout: row.timeout as number | null,
    baseBackoff: row.base_backoff as number | null,
    cwd: row.cwd as string | null,
    env: env ?? null,
    problem: env === undefined ? "The env of this job is damaged and cannot be read" : null,
    startedAt: row.started_at as number,
    elapsed: Math.max(0, now - (row.started_at as number)),
  };
}

export function attemptFromRow(row: Row): Attempt {
  return {
    run: row.run as number,
    number: row.number as number,
    worker: row.worker as string,
    startedAt: row.started_at as number,
    endedAt: row.ended_at as number,
    outcome: row.outcome as Outcome["kind"],
    exitCode: row.exit_code as number | null,
    signal: row.signal as string | null,
    output: row.output as string | null ?? "",
    errorOutput: row.error_output as string | null ?? "",
  };
}

/** Undefined when it cannot be read: one damaged job must not keep all others from being claimed. */
function environment(row: Row): Record<string, string> | null | undefined {
  if (row.env === null) return null;
  try {
    return JSON.parse(row.env as string);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
