/** What a manager does for its store in passing: it extends the search index, by small steps. */

import type { Store } from "../store/store.ts";
import { delay } from "./delay.ts";

/** Milliseconds until the first look, the next one where there was nothing to do, and the next one after a failure. */
const standardPauses = { first: 1000, idle: 10_000, failure: 60_000 };
/** Of the time of one process, and of the lock on a file, steps take no more than one part in so many. */
const share = 20;

/**
 * Goes on until what is returned is called, which resolves when no step is underway. What a step throws is reported, but
 * not again and again.
 */
export function startUpkeep(
  store: Pick<Store, "extendSearchIndex">,
  report: (error: Error) => void,
  pauses = standardPauses,
): () => Promise<void> {
  const stopping = new AbortController();
  let reported = "";

  /** Resolves to the pause before the next step. */
  async function step(): Promise<number> {
    const startedAt = performance.now();
    try {
      const isThereMore = await store.extendSearchIndex();
      reported = "";
      return isThereMore ? (performance.now() - startedAt) * (share - 1) : pauses.idle;
    } catch (error) {
      const { message } = error as Error;
      if (!stopping.signal.aborted && message !== reported) report(error as Error);
      reported = message;
      return pauses.failure;
    }
  }

  async function go(): Promise<void> {
    for (let pause = pauses.first;; pause = await step()) {
      await delay(pause, stopping.signal);
      if (stopping.signal.aborted) return;
    }
  }

  const ended = go();
  return () => {
    stopping.abort();
    return ended;
  };
}
