/** Finds what others have changed in the store: soon, and at hardly any cost while nothing changes. */

import type { Store } from "../store/store.ts";

/**
 * Milliseconds between two looks: when a change was just announced, while there are changes, and while the store is to
 * tell of them. A look costs a few microseconds; it is the timer that takes processor time.
 */
const [announced, busy, quiet] = [2, 10, 500];
/** Milliseconds for which an announced change is expected, and after the last one until there are none any more. */
const [expected, lively] = [20, 200];

/**
 * Calls `onChange` after others have changed something, until what is returned is called. The store is had to tell of
 * changes only while `mayWatch`: Deno ends the process where the system has no thread for that.
 */
export function watchChanges(
  store: Pick<Store, "changed" | "watch">,
  onChange: () => void,
  mayWatch: () => boolean = () => true,
): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let unwatch: (() => void) | null = null;
  let announcedAt = -Infinity;
  let livelyUntil = performance.now() + lively;

  function look(): void {
    if (hasChanged()) {
      livelyUntil = performance.now() + lively;
      onChange();
    }
    const isQuiet = performance.now() > livelyUntil;
    if (!unwatch && isQuiet && mayWatch() && (unwatch = store.watch(onAnnouncement))) {
      // What came between the look and the watch has not been announced.
      if (hasChanged()) onChange();
    }
    const pause = unwatch ? quiet : performance.now() < announcedAt + expected ? announced : busy;
    timer = setTimeout(look, pause);
  }

  function hasChanged(): boolean {
    try {
      return store.changed();
    } catch {
      // Whoever acts on it meets the same error, and has the words for it.
      return true;
    }
  }

  function onAnnouncement(): void {
    // While there are changes, looking is cheaper than being told of each write.
    unwatch?.();
    unwatch = null;
    announcedAt = performance.now();
    livelyUntil = announcedAt + lively;
    clearTimeout(timer);
    look();
  }

  timer = setTimeout(look, busy);
  return () => {
    clearTimeout(timer);
    unwatch?.();
  };
}
