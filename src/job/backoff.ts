/** When a failed job runs again, and whether it does: pure functions of their arguments. */

import type { BackoffKind } from "../config.ts";
import type { NextStep, Outcome, RetryRules } from "./job.ts";

/** What decides about a job after a failed run. */
export interface RetryPolicy extends Pick<RetryRules, "retryOn" | "noRetryOn"> {
  /** Runs so far, the one that just ended included. */
  attempts: number;
  maxRetries: number;
  /** How delays grow from attempt to attempt. */
  backoff: BackoffKind;
  /** Seconds. */
  baseBackoff: number;
  /** Milliseconds; no delay is longer. */
  maxBackoff: number;
  /** The part of every delay, from 0 to 1, that chance takes away or leaves. */
  jitter: number;
}

/** Seconds of the delay after the given number of runs, before the cap. */
const growth: Record<BackoffKind, (base: number, attempts: number) => number> = {
  exponential: (base, attempts) => base ** attempts,
  linear: (base, attempts) => base * attempts,
  fixed: (base) => base,
};

/**
 * Milliseconds until the retry after the given number of runs, at most `maxBackoff`; base 0 retries at once. `random`,
 * from 0 to 1, decides how much of the `jitter` is taken away. All of it is "full jitter" of the article "Exponential
 * Backoff And Jitter" in the AWS architecture blog, and half of it "equal jitter": both spread what comes after the cap.
 */
export function retryDelay(
  policy: Pick<RetryPolicy, "attempts" | "backoff" | "baseBackoff" | "maxBackoff" | "jitter">,
  random: number,
): number {
  // A power that overflows is Infinity, which the cap turns into a delay again.
  const seconds = growth[policy.backoff](policy.baseBackoff, policy.attempts);
  return Math.round(Math.min(seconds * 1000, policy.maxBackoff) * (1 - policy.jitter * random));
}

/** The exit status by which a command says "try again later" (EX_TEMPFAIL of sysexits.h): that is no failure. */
export const tryAgainLater = 75;

/** Milliseconds that are waited at least then: without a backoff the command would run again and again without a pause. */
const shortestPause = 1000;

/** Whether a command that ends with this status (128 + n by a signal) is not to be run again. Of both lists `noRetryOn` counts. */
export function isNotRetried(status: number, rules: Pick<RetryRules, "retryOn" | "noRetryOn">): boolean {
  if (rules.noRetryOn?.includes(status)) return true;
  return status !== tryAgainLater && rules.retryOn !== undefined && !rules.retryOn.includes(status);
}

/** Why a job is dead although it may have had retries left. */
export const notRetriedWords = (status: number): string => `exit status ${status} is not retried`;

/**
 * Decides what becomes of a job whose run ended: done, retried after a delay, dead, cancelled, or back in the queue,
 * where its attempt does not count. `random` is that of {@link retryDelay}.
 */
export function nextStep(outcome: Outcome, error: string, policy: RetryPolicy, random: number): NextStep {
  if (outcome.kind === "handed_back") return { state: "pending" };
  if (outcome.kind === "cancelled") return { state: "cancelled" };
  if (outcome.kind === "exited" && outcome.code === 0) return { state: "completed" };
  if ("code" in outcome && isNotRetried(outcome.code, policy)) {
    return { state: "dead", error, reason: notRetriedWords(outcome.code) };
  }
  if (outcome.kind === "exited" && outcome.code === tryAgainLater) {
    return { state: "pending", delay: Math.max(shortestPause, retryDelay(policy, random)), error };
  }
  if (policy.attempts > policy.maxRetries) return { state: "dead", error };
  return { state: "failed", delay: retryDelay(policy, random), error };
}
