/** When a failed job runs again, and whether it does: pure functions of their arguments. */

import type { BackoffKind } from "./settings.ts";
import { statusWords } from "./exit_status.ts";
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
  /** Runs in a row that have asked for a later try, the one that just ended not included. */
  postponed?: number;
  /** How many of those there may be; what asks once more has failed. */
  maxPostponed?: number;
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

/** Of the runs of a job that ask for a later try, one after the other, so many are kept. */
export const keptPostponed = 5;

/** Milliseconds that are waited at least then: without a pause the command would run again and again. */
const shortestPause = 1000;

/**
 * Milliseconds until the later try that a run has asked for: as if all before it in a row were failures. With base 0, no
 * wait at all, it is one second at first, then two, then four.
 */
function laterDelay(policy: RetryPolicy, random: number): number {
  const { attempts, postponed = 0, baseBackoff } = policy;
  const growth: typeof policy = baseBackoff > 0
    ? { ...policy, attempts: attempts + postponed }
    : { ...policy, backoff: "exponential", baseBackoff: 2, attempts: postponed };
  return Math.max(shortestPause, retryDelay(growth, random));
}

/** Whether a command that ends with this status (128 + n by a signal) is not to be run again. Of both lists `noRetryOn` counts. */
export function isNotRetried(status: number, rules: Pick<RetryRules, "retryOn" | "noRetryOn">): boolean {
  if (rules.noRetryOn?.includes(status)) return true;
  return status !== tryAgainLater && rules.retryOn !== undefined && !rules.retryOn.includes(status);
}

/** Why a job is dead although it may have had retries left. */
export const notRetriedWords = (status: number): string =>
  `exit status ${statusWords(status)} is not retried`;

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
  const { postponed = 0, maxPostponed = Infinity } = policy;
  if (outcome.kind === "exited" && outcome.code === tryAgainLater && postponed < maxPostponed) {
    return { state: "pending", delay: laterDelay(policy, random), error };
  }
  if (policy.attempts > policy.maxRetries) return { state: "dead", error };
  return { state: "failed", delay: retryDelay(policy, random), error };
}
