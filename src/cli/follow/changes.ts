/** When to look at the store again: told of changes, and never asking it all the time. */

import { noLongerInPlace } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { watchChanges } from "../../worker/change_watch.ts";
import { after } from "../../base/delay.ts";

/** Milliseconds between two looks at least, and how many times as long as a look took: a busy queue changes always. */
const [shortestPause, pauseFactor] = [20, 4];
/**
 * Milliseconds between two looks at a shared store, which does not tell of results: thousands of them a second would
 * wake all workers. Somebody who waits for one asks for it.
 */
const sharedInterval = 200;

/** Milliseconds between two looks whether the database is still in its place. */
const placeInterval = 500;

export interface Changes extends Disposable {
  /**
   * Resolves with true after a change since the last call that gave true, with false when `within` milliseconds have gone
   * by without one, or at once with {@link hurry}.
   */
  next(within: number): Promise<boolean>;
  /** Ends the pause: something else has happened. */
  hurry(): void;
}

/** Tells of what others change in the store, until it is disposed of; `next` throws `database` once that is not in its place. */
export function changesOf(
  store: Pick<Store, "changed" | "watch" | "shared" | "isInPlace" | "location">,
): Changes {
  // The first look tells which file is to stay there.
  store.isInPlace();
  let changed = false;
  let wake = () => {};
  let lookedAt = -Infinity;
  let pause = shortestPause;
  const tell = () => {
    changed = true;
    wake();
  };
  const endWatching = watchChanges(store, tell);
  const timer = store.shared
    ? setInterval(tell, sharedInterval)
    : setInterval(() => store.isInPlace() || tell(), placeInterval);

  /** Resolves after so long, or as soon as `wake` is called. */
  async function sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const stop = milliseconds < Infinity ? after(milliseconds, resolve) : () => {};
    await promise;
    stop();
  }

  return {
    async next(within) {
      const now = performance.now();
      // What was done since the last change was told is what a look costs.
      if (lookedAt > -Infinity) pause = Math.max(shortestPause, pauseFactor * (now - lookedAt));
      lookedAt = -Infinity;
      if (!changed && within > 0) await sleep(within);
      if (!changed) return false;
      if (!store.isInPlace()) throw noLongerInPlace(store.location);
      await new Promise<void>((resolve) => after(Math.min(pause, 1000), resolve));
      changed = false;
      lookedAt = performance.now();
      return true;
    },
    hurry: () => wake(),
    [Symbol.dispose]() {
      endWatching();
      clearInterval(timer);
    },
  };
}
