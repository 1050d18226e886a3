/** What keeps jobs that are waited for, until somebody does something about it. */

import { QueuectlError } from "../../base/errors.ts";
import type { JobDetail, JobProgress } from "../../store/progress.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { ownSlotWords, waitsForSomebody, whyItWaits } from "./describe_waiting.ts";

/** A job; undefined where it has been removed. */
export async function detailIfThere(
  store: Store,
  { id, seq }: Pick<JobProgress, "id" | "seq">,
): Promise<JobDetail | undefined> {
  try {
    const detail = await store.detail(id);
    return detail.seq === seq ? detail : undefined;
  } catch (error) {
    // The id may be the beginning of those of several others.
    if (error instanceof QueuectlError && (error.code === "not_found" || error.code === "usage")) {
      return undefined;
    }
    throw error;
  }
}

/** The job in which this program runs, as its environment tells; undefined where it runs in none. */
export function surroundingJob(): { id: string; queue: string } | undefined {
  const [id, queue] = [Deno.env.get("QUEUECTL_JOB_ID"), Deno.env.get("QUEUECTL_QUEUE")];
  return id === undefined || queue === undefined ? undefined : { id, queue };
}

/** What somebody has to do before these jobs can go on, in a line for each where it is so. */
export async function hindrancesOf(
  store: Store,
  jobs: ReadonlyArray<Pick<JobProgress, "id" | "seq">>,
  processes: readonly RegisteredProcess[],
): Promise<string[]> {
  const words: string[] = [];
  const queues = await store.queues();
  for (const each of jobs) {
    const job = await detailIfThere(store, each);
    const waiting = job && whyItWaits(job, processes, queues);
    if (!waiting || waiting.for === "cancel") continue;
    const isKept = waiting.for === "release" || waiting.for === "continue" || waitsForSomebody(job, queues);
    if (waiting.noWorker || isKept) words.push(`Job ${job.id} ${waiting.text}`);
    const own = ownSlotWords(waiting, job, surroundingJob(), processes);
    if (own !== null) words.push(own);
  }
  return words;
}
