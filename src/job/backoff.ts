/** When a failed job runs again, and whether it does: pure functions of their arguments. */

import type { NextStep, Outcome } from "./job.ts";

/** What decides about a job after a failed run. */
export interface RetryPolicy {
  /** Runs so far, the one that just ended included. */
  attempts: number;
  maxRetries: number;
  /** Seconds; the delay is `baseBackoff ^ attempts`. */
  baseBackoff: number;
  /** Milliseconds; no delay is longer. */
  maxBackoff: number;
}

/**
 * Milliseconds until the retry after the given number of runs: `baseBackoff ^ attempts` seconds, at most
 * `maxBackoff`. Base 0 retries at once.
 */
export function retryDelay(policy: Omit<RetryPolicy, "maxRetries">): number {
  // A power that overflows is Infinity, which the cap turns into a delay again.
  return Math.min(Math.round(policy.baseBackoff ** policy.attempts * 1000), policy.maxBackoff);
}

/** The exit status by which a command says "try again later" (EX_TEMPFAIL of sysexits.h): that is no failure. */
export const tryAgainLater = 75;

/** Milliseconds that are waited at least then: without a backoff the command would run again and again without a pause. */
const shortestPause = 1000;

/**
 * Decides what becomes of a job whose run ended: done, retried after a delay, dead, cancelled, or back in the queue,
 * where its attempt does not count.
 */
export function nextStep(outcome: Outcome, error: string, policy: RetryPolicy): NextStep {
  if (outcome.kind === "handed_back") return { state: "pending" };
  if (outcome.kind === "cancelled") return { state: "cancelled" };
  if (outcome.kind === "exited" && outcome.code === 0) return { state: "completed" };
  if (outcome.kind === "exited" && outcome.code === tryAgainLater) {
    return { state: "pending", delay: Math.max(shortestPause, retryDelay(policy)), error };
  }
  if (policy.attempts > policy.maxRetries) return { state: "dead", error };
  return { state: "failed", delay: retryDelay(policy), error };
}
