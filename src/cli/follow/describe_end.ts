/** What is said about one job: how its runs ended, and its exit status. Pure functions. */

import { spelledDuration } from "../../base/duration.ts";
import { tryAgainLater } from "../../job/backoff.ts";
import { statusWords } from "../../job/exit_status.ts";
import type { JobState } from "../../job/job.ts";
import { printable } from "../../base/printable.ts";
import type { EndedRun, JobDetail, JobProgress } from "../../store/progress.ts";
import type { OutputStream } from "../../store/running_output.ts";
import { isBecauseOfParent } from "../../store/errors.ts";
import { deathWords } from "../output/describe_retries.ts";

/** Whether a job is in a state from which nothing but a command of a person takes it. */
export const hasEnded = (state: JobState): boolean =>
  state === "completed" || state === "dead" || state === "cancelled";

/** Exit statuses of `wait` and `run` for what has none of its own. */
export const statuses = { notStarted: 126, lost: 137, timedOut: 142, cancelled: 143, unknown: 1 } as const;

/**
 * The exit status that a job has, which has ended for good: that of its last run, 128 + n after a signal. One that only
 * Windows has is 1 elsewhere: cut to the 8 bits of other systems it could be any, and 0 too.
 */
export function exitStatusOf(
  state: JobState,
  last: EndedRun | undefined,
  isWindows = Deno.build.os === "windows",
): number {
  if (state === "completed") return 0;
  if (state === "cancelled") return statuses.cancelled;
  switch (last?.outcome) {
    case "exited":
    case "signaled":
      return isWindows || isByte(last.exitCode) ? last.exitCode || statuses.unknown : statuses.unknown;
    case "timed_out":
      return statuses.timedOut;
    case "lost":
      return statuses.lost;
    case "spawn_failed":
      return statuses.notStarted;
    default:
      return statuses.unknown;
  }
}

const isByte = (status: number | null): boolean => status !== null && status >= 0 && status <= 255;

/** How a job has ended, as `wait --json` and `run --json` print it; of one that has not ended the last run is no matter. */
export function endObject(
  { id, state, attempts }: Pick<JobProgress, "id" | "state" | "attempts">,
  last: EndedRun | undefined,
) {
  const end = hasEnded(state) ? last : undefined;
  return {
    id,
    state,
    attempts,
    exit_status: hasEnded(state) ? exitStatusOf(state, last) : null,
    outcome: end?.outcome ?? null,
    exit_code: end?.exitCode ?? null,
    signal: end?.signal ?? null,
  };
}

const laterWords = "asked to be run again later";

/** How a run ended: `exit code 3`, `SIGKILL`, `timed out`. */
export function outcomeWords({ outcome, exitCode, signal }: EndedRun): string {
  switch (outcome) {
    case "exited":
      if (exitCode === tryAgainLater) return `${laterWords} (exit code ${exitCode})`;
      return exitCode === 0 ? "completed" : `exit code ${statusWords(exitCode!)}`;
    case "signaled":
      return signal ?? `exit code ${exitCode}`;
    case "timed_out":
      return "timed out";
    case "spawn_failed":
      return "could not be started";
    case "lost":
      return "lost";
    case "handed_back":
      return "handed back to the queue";
    case "cancelled":
      return "cancelled";
  }
}

/** `Attempt 2 of job a failed after 3s: exit code 1`. */
export function endWords(id: string, run: EndedRun): string {
  const took = spelledDuration(run.endedAt - run.startedAt);
  const words = outcomeWords(run);
  const what = `Attempt ${run.number} of job ${id}`;
  if (run.outcome === "exited" && run.exitCode === 0) return `${what} completed after ${took}`;
  if (run.outcome === "exited" && run.exitCode === tryAgainLater) {
    return `${what} ${laterWords}, after ${took} (exit code ${run.exitCode})`;
  }
  if (run.outcome === "handed_back") return `${what} was ${words} after ${took}`;
  if (run.outcome === "cancelled") return `${what} was cancelled after ${took}`;
  return `${what} failed after ${took}: ${words}`;
}

/**
 * A line for each output of a run of which bytes were left out, without those `before`:
 * `1234 bytes of the standard output of attempt 1 of job a are left out`.
 */
export function leftOutOf(
  id: string,
  { number }: EndedRun,
  bytes: Record<OutputStream, number>,
  before: Record<OutputStream, number>,
): { words: string[]; bytes: number } {
  const counts = { output: bytes.out - before.out, error: bytes.err - before.err };
  const words = Object.entries(counts).filter(([, count]) => count > 0).map(([stream, count]) =>
    `${count} bytes of the standard ${stream} of attempt ${number} of job ${id} are left out`
  );
  return { words, bytes: counts.output + counts.error };
}

/** `Job a is dead: exit code 3`; what is said of a job that has ended for good without success. */
export function failureWords({ id, state, job, runs }: JobDetail): string {
  const last = runs.at(-1);
  if (state === "dead" && last) {
    // Where it has asked for a later try, its rules say why there is none.
    const why = last.exitCode === tryAgainLater ? deathWords(job, last) : null;
    return `Job ${id} is dead: ${why ?? outcomeWords(last)}`;
  }
  const isBecause = state === "cancelled" && job.lastError !== null && isBecauseOfParent(job.lastError);
  return `Job ${id} is ${state}${isBecause ? `: ${printable(job.lastError!)}` : ""}`;
}

/** `runs on host (pid 12) for 3s`. */
export function runningWords({ running }: JobDetail): string | null {
  if (!running) return null;
  const where = running.host === null
    ? ""
    : ` on ${printable(running.host.split("/")[0])} (worker ${running.pid})`;
  return `runs${where} for ${spelledDuration(running.duration)}`;
}
