/** What keeps jobs that are waited for, until somebody does something about it. */

import { QueuectlError } from "../../errors.ts";
import type { JobDetail } from "../../store/progress.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { waitsForSomebody, whyItWaits } from "./waiting_words.ts";

/** A job; undefined where it has been removed. */
export async function detailIfThere(store: Store, id: string): Promise<JobDetail | undefined> {
  try {
    return await store.detail(id);
  } catch (error) {
    if (error instanceof QueuectlError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** What somebody has to do before these jobs can go on, in a line for each where it is so. */
export async function hindrancesOf(
  store: Store,
  ids: readonly string[],
  processes: readonly RegisteredProcess[],
): Promise<string[]> {
  const words: string[] = [];
  const queues = await store.queues();
  for (const id of ids) {
    const job = await detailIfThere(store, id);
    const waiting = job && whyItWaits(job, processes, queues);
    if (!waiting) continue;
    const isKept = waiting.for === "release" || waiting.for === "continue" || waitsForSomebody(job, queues);
    if (waiting.noWorker || isKept) words.push(`Job ${id} ${waiting.text}`);
  }
  return words;
}
