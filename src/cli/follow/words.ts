/** What is said about one job: how its runs ended, why it waits, its exit status. Pure functions. */

import { spelledDuration } from "../../duration.ts";
import { tryAgainLater } from "../../job/backoff.ts";
import type { JobState } from "../../job/job.ts";
import { printable } from "../../printable.ts";
import { aheadLimit, type EndedRun, type JobDetail, type JobProgress } from "../../store/progress.ts";
import { isBecauseOfParent } from "../../store/refusals.ts";
import { allQueues, type Queue } from "../../store/queues.ts";
import type { RegisteredProcess } from "../../store/store.ts";
import { counted } from "../output.ts";
import { deathWords } from "../retry_words.ts";

/** Whether a job is in a state from which nothing but a command of a person takes it. */
export const hasEnded = (state: JobState): boolean =>
  state === "completed" || state === "dead" || state === "cancelled";

/** Exit statuses of `wait` and `run` for what has none of its own. */
export const statuses = { notStarted: 126, lost: 137, timedOut: 142, cancelled: 143, unknown: 1 } as const;

/** The exit status that a job has, which has ended for good: that of its last run, 128 + n after a signal. */
export function exitStatusOf(state: JobState, last: EndedRun | undefined): number {
  if (state === "completed") return 0;
  if (state === "cancelled") return statuses.cancelled;
  switch (last?.outcome) {
    case "exited":
    case "signaled":
      return last.exitCode || statuses.unknown;
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
      return exitCode === 0 ? "completed" : `exit code ${exitCode}`;
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

/** What a job waits for. */
export interface Waiting {
  for: "time" | "job" | "queue" | "worker" | "cancel" | "release" | "continue";
  /** One line, `waits for …`, `is being cancelled`, `is stopped`. */
  text: string;
  /** Milliseconds until its time, or until the rate of its queue lets a job start; null where it waits for neither. */
  dueIn: number | null;
  /** Jobs that are claimed before it. */
  ahead: number | null;
  /** No worker runs that takes jobs of its queue. */
  noWorker: boolean;
}

/** That no worker takes jobs of a queue, and how to start one. */
export function noWorkerWords(queue: string, processes: readonly RegisteredProcess[]): string {
  return hasWorker(processes)
    ? `no worker takes jobs of queue ${queue}; start one: queuectl worker start --queue ${queue}`
    : "no worker runs; start one: queuectl worker start";
}

/** Whether there is a worker that is not silent and not about to end, and that takes jobs of the queue if one is given. */
export const hasWorker = (processes: readonly RegisteredProcess[], queue?: string): boolean =>
  processes.some(({ role, expired, stop, queues }) =>
    role === "worker" && !expired && stop === null &&
    (queue === undefined || (queues?.includes(queue) ?? true))
  );

/** Whether there is a worker, perhaps one about to end, that does to running commands what is asked of them. */
export const isReached = (processes: readonly RegisteredProcess[]): boolean =>
  processes.some(({ role, expired }) => role === "worker" && !expired);

/** `is stopped; let it go on: …`, with its queue where that is paused. */
function stoppedWords({ id, queue }: JobDetail, queues: readonly Queue[]): string {
  const isPaused = (name: string) => queues.some((queue) => queue.name === name && queue.paused);
  const command = isPaused(allQueues)
    ? "resume --commands"
    : isPaused(queue)
    ? `resume ${queue} --commands`
    : `signal ${printable(id)} CONT`;
  return `is stopped; let it go on: queuectl ${command}`;
}

/** Why a job does not go on at once; null where it runs, or has ended. `queues` are all there are. */
export function whyItWaits(
  job: JobDetail,
  processes: readonly RegisteredProcess[],
  queues: readonly Queue[],
): Waiting | null {
  const noWorker = !hasWorker(processes, job.queue);
  if (job.state === "processing") {
    const rest = { dueIn: null, ahead: null, noWorker };
    const later = isReached(processes) ? "" : `; ${noWorkerWords(job.queue, processes)}`;
    if (job.cancelling) return { for: "cancel", text: `is being cancelled${later}`, ...rest };
    if (job.stopped) return { for: "continue", text: `${stoppedWords(job, queues)}${later}`, ...rest };
    return null;
  }
  if (hasEnded(job.state)) return null;
  const noWorkerRuns = noWorkerWords(job.queue, processes);
  if (job.job.held) {
    const text = `is held; let it go: queuectl release ${printable(job.id)}`;
    return { for: "release", text, dueIn: null, ahead: null, noWorker };
  }
  if (job.job.blocked > 0) {
    const text = `waits for ${parentWords(job, queues)}${noWorker ? `; ${noWorkerRuns}` : ""}`;
    return { for: "job", text, dueIn: null, ahead: null, noWorker };
  }
  if (job.dueIn !== null && job.dueIn > 0) {
    const what = job.state === "failed"
      ? `its retry (attempt ${job.attempts + 1} of ${Math.max(job.maxRetries, job.attempts) + 1})`
      : "its time";
    const text = `waits for ${what}, in ${spelledDuration(job.dueIn)}${noWorker ? `; ${noWorkerRuns}` : ""}`;
    return { for: "time", text, dueIn: job.dueIn, ahead: null, noWorker };
  }
  const ahead = job.ahead === null ? "" : `, ${aheadWords(job.ahead)} before it`;
  const its = queues.filter(({ name }) => name === allQueues || name === job.queue);
  const stopped = its.map(stopWords).find((words) => words !== null);
  if (stopped) return { for: "queue", text: stopped, dueIn: null, ahead: job.ahead, noWorker };
  const slow = its.find(({ nextStart }) => nextStart !== null);
  if (slow) {
    const text = `waits for its turn: ${rateWords(slow)}${ahead}${noWorker ? `; ${noWorkerRuns}` : ""}`;
    return { for: "queue", text, dueIn: slow.nextStart, ahead: job.ahead, noWorker };
  }
  const text = noWorker ? `waits: ${noWorkerRuns}` : `waits for a free worker${ahead}`;
  return { for: "worker", text, dueIn: null, ahead: job.ahead, noWorker };
}

/** `queue mail may start 10 jobs a minute, the next in 4s`. */
function rateWords({ name, rate, ratePeriod, nextStart }: Queue): string {
  const time = timeUnits[ratePeriod!] ?? `in ${spelledDuration(ratePeriod!)}`;
  return `queue ${name} may start ${counted(rate!, "job")} ${time}, the next in ${
    spelledDuration(nextStart!)
  }`;
}

const timeUnits: Record<number, string> = {
  1000: "a second",
  60_000: "a minute",
  3_600_000: "an hour",
  86_400_000: "a day",
};

/** Why no job of a queue is started before something else happens; null where nothing but its rate keeps it. */
function stopWords({ name, paused, concurrency, counts: { processing } }: Queue): string | null {
  const isOfAll = name === allQueues;
  if (paused) {
    return isOfAll
      ? "waits: all queues are paused; let them go on: queuectl resume"
      : `waits: queue ${name} is paused; let it go on: queuectl resume ${name}`;
  }
  if (concurrency === null || processing < concurrency) return null;
  return `waits for a place: ${processing} of ${concurrency} jobs ${
    isOfAll ? "of all queues" : `of queue ${name}`
  } run`;
}

/** `job a, which is processing, and 2 more jobs`; of one that waits for somebody, for what. */
function parentWords({ parents: [first], job: { blocked } }: JobDetail, queues: readonly Queue[]): string {
  const isPaused = (name: string) => queues.some((queue) => queue.name === name && queue.paused);
  const waits = first.state === "pending" || first.state === "failed";
  const state = waits && first.held
    ? "held"
    : waits && isPaused(first.queue)
    ? `${first.state} in queue ${first.queue}, which is paused`
    : waits && isPaused(allQueues)
    ? `${first.state} while all queues are paused`
    : first.state;
  const more = blocked > 1 ? `, and ${blocked - 1} more ${blocked > 2 ? "jobs" : "job"}` : "";
  return `job ${printable(first.id)}, which is ${state}${more}`;
}

const aheadWords = (ahead: number) =>
  ahead === 0 ? "no job" : ahead >= aheadLimit ? `${aheadLimit} jobs or more` : counted(ahead, "job");

/** `runs on host (pid 12) for 3s`. */
export function runningWords({ running }: JobDetail): string | null {
  if (!running) return null;
  const where = running.host === null
    ? ""
    : ` on ${printable(running.host.split("/")[0])} (worker ${running.pid})`;
  return `runs${where} for ${spelledDuration(running.duration)}`;
}
