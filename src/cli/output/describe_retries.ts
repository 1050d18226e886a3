/** What is said about the retries of a job: its rules, and why it has none. Pure. */

import type { BackoffKind } from "../../job/settings.ts";
import { formatDuration } from "../../base/duration.ts";
import { isNotRetried, notRetriedWords } from "../../job/backoff.ts";
import type { Job } from "../../job/job.ts";
import type { EndedRun } from "../../store/progress.ts";

const kindWords: Record<BackoffKind, (base: string) => string> = {
  exponential: (base) => `${base} ^ attempt seconds`,
  linear: (base) => `${base} * attempt seconds`,
  fixed: (base) => `${base} seconds`,
};

/** How long it waits for its retries: `by setting`, `2 ^ attempt seconds, at most 10m`. */
export function backoffWords({ baseBackoff, retryRules }: Pick<Job, "baseBackoff" | "retryRules">): string {
  const { backoff, maxBackoff, jitter } = retryRules ?? {};
  const parts: string[] = [];
  if (backoff !== undefined) parts.push(kindWords[backoff](baseBackoff === null ? "base" : `${baseBackoff}`));
  else if (baseBackoff !== null) parts.push(`base ${baseBackoff}`);
  if (maxBackoff !== undefined) parts.push(`at most ${formatDuration(maxBackoff)}`);
  if (jitter !== undefined) parts.push(`jitter ${jitter}`);
  const open = backoff === undefined || baseBackoff === null || maxBackoff === undefined ||
    jitter === undefined;
  if (parts.length === 0) return "by setting";
  return open ? `${parts.join(", ")}; the rest by setting` : parts.join(", ");
}

/** Which exit statuses are retried: `only after 1, 2`; null where all are. */
export function retriedWords({ retryRules }: Pick<Job, "retryRules">): string | null {
  const { retryOn, noRetryOn } = retryRules ?? {};
  const parts: string[] = [];
  if (retryOn !== undefined) {
    parts.push(retryOn.length === 0 ? "after no exit status" : `only after exit status ${ranges(retryOn)}`);
  }
  if (noRetryOn !== undefined && noRetryOn.length > 0) {
    parts.push(`not after exit status ${ranges(noRetryOn)}`);
  }
  return parts.length === 0 ? null : parts.join(", ");
}

/** `1, 70-75` of a list of exit statuses. */
function ranges(statuses: readonly number[]): string {
  const parts: Array<[first: number, last: number]> = [];
  for (const status of [...new Set(statuses)].sort((a, b) => a - b)) {
    const part = parts.at(-1);
    if (part?.[1] === status - 1) part[1] = status;
    else parts.push([status, status]);
  }
  return parts.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join(", ");
}

/** Why a job is dead that its rules leave no retry: `exit status 3 is not retried`; null for all others. */
export function deathWords(
  job: Pick<Job, "state" | "retryRules">,
  last: EndedRun | undefined,
): string | null {
  const status = last?.exitCode ?? null;
  const isDecided = job.state === "dead" && status !== null && isNotRetried(status, job.retryRules ?? {});
  return isDecided ? notRetriedWords(status) : null;
}
