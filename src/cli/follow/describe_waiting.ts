/** What is said about why a job waits. Pure functions. */

import { spelledDuration } from "../../base/duration.ts";
import { printable } from "../../base/printable.ts";
import { aheadLimit, type JobDetail } from "../../store/progress.ts";
import { allQueues, type Queue } from "../../store/queues.ts";
import type { RegisteredProcess } from "../../store/store.ts";
import { counted } from "../output/output.ts";
import { hasEnded } from "./describe_end.ts";

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

/** `is suspended; resume it: …`, with its queue where that is paused. */
function stoppedWords({ id, queue }: JobDetail, queues: readonly Queue[]): string {
  const isPaused = (name: string) => queues.some((queue) => queue.name === name && queue.paused);
  const command = isPaused(allQueues)
    ? "resume --commands"
    : isPaused(queue)
    ? `resume ${queue} --commands`
    : `signal ${printable(id)} CONT`;
  return `is suspended; resume it: queuectl ${command}`;
}

/** That a job waits for the slot or the place of the job in which it is waited for; null where it does not. */
export function ownSlotWords(
  { for: what, text }: Waiting,
  { queue }: Pick<JobDetail, "queue">,
  own: { id: string; queue: string } | undefined,
  processes: readonly RegisteredProcess[],
): string | null {
  const workers = processes.filter(({ role, queues }) =>
    role === "worker" && (queues?.includes(queue) ?? true)
  );
  const holds = `Job ${own?.id}, in which this waits, holds`;
  if (own === undefined || !processes.some(({ running }) => running.includes(own.id))) return null;
  const isFull = workers.every(({ running, concurrency }) => running.length >= concurrency);
  const isIn = workers.some(({ running }) => running.includes(own.id));
  if (what === "worker" && isFull && isIn) {
    return `${holds} a slot itself: where all do, start more with worker start --concurrency N`;
  }
  const isForPlace = what === "queue" && text.startsWith("waits for a place");
  if (!isForPlace || own.queue !== queue && !text.endsWith("of all queues run")) return null;
  return `${holds} a place itself: where all do, give more with queue set --concurrency N`;
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
    const text = `is held; release it: queuectl release ${printable(job.id)}`;
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
      ? "waits: all queues are paused; resume them: queuectl resume"
      : `waits: queue ${name} is paused; resume it: queuectl resume ${name}`;
  }
  if (concurrency === null || processing < concurrency) return null;
  return `waits for a place: ${processing} of ${concurrency} jobs ${
    isOfAll ? "of all queues" : `of queue ${name}`
  } run`;
}

/** Whether a job that does not run goes on only when its queue does, or when the first one that it waits for is let go. */
export function waitsForSomebody(
  { queue, job, parents: [first] }: JobDetail,
  queues: readonly Queue[],
): boolean {
  const isPaused = (name: string) =>
    queues.some((queue) => queue.paused && (queue.name === name || queue.name === allQueues));
  if (isPaused(queue)) return true;
  const waits = job.blocked > 0 && (first?.state === "pending" || first?.state === "failed");
  return waits && (first.held || isPaused(first.queue));
}

/** `job a, which is processing, and 2 more jobs`; of one that waits for somebody, for what. */
function parentWords({ parents: [first], job: { blocked } }: JobDetail, queues: readonly Queue[]): string {
  const more = blocked > 1 ? `, and ${blocked - 1} more ${blocked > 2 ? "jobs" : "job"}` : "";
  return `job ${printable(first.id)}, which is ${parentState(first, queues)}${more}`;
}

function parentState({ state, held, queue }: JobDetail["parents"][number], queues: readonly Queue[]): string {
  const isPaused = (name: string) => queues.some((queue) => queue.name === name && queue.paused);
  if (state !== "pending" && state !== "failed") return state;
  if (held) return "held";
  if (isPaused(queue)) return `${state} in queue ${queue}, which is paused`;
  return isPaused(allQueues) ? `${state} while all queues are paused` : state;
}

const aheadWords = (ahead: number) =>
  ahead === 0 ? "no job" : ahead >= aheadLimit ? `${aheadLimit} jobs or more` : counted(ahead, "job");
