/** Being told of changes, in place of looking for them all the time. */

/** Tells of writes to the log of a database, by this process too. */
export interface LogWatch {
  /**
   * Calls `wake` with every write, perhaps a moment before the change can be seen and for writes from before, until what is
   * returned is called. Null where files cannot be watched: elsewhere than on Linux the systems tell late, or only when the
   * file is closed, and on Linux the number of watches is limited.
   */
  watch(wake: () => void): (() => void) | null;
  close(): void;
}

/** Milliseconds in which events are of one change, or were kept while nobody wanted to know. */
const togetherFor = 20;

/**
 * One watch of the system, opened when it is first needed and kept: Deno 2.6 serves also those that were closed. While nobody
 * wants to know, nothing is read from it, and it keeps no more than a few events.
 */
export function watchLog(path: string): LogWatch {
  let watcher: Deno.FsWatcher | undefined;
  let wake: (() => void) | undefined;
  let wanted = Promise.withResolvers<void>();

  async function pass(events: Deno.FsWatcher): Promise<void> {
    let toldAt = -Infinity;
    for await (const _ of events) {
      // What comes along with the one that was told: whoever was told looks for a while.
      if (!wake && performance.now() < toldAt + togetherFor) continue;
      if (!wake) await wanted.promise;
      if (!wake) continue;
      toldAt = performance.now();
      wake();
    }
  }

  return {
    watch(action) {
      if (Deno.build.os !== "linux") return null;
      if (!watcher) {
        watcher = openWatcher(`${path}-wal`);
        if (!watcher) return null;
        // Who is told of a change that is none looks for changes, and so does without the watch for a while.
        pass(watcher).catch(() => {
          watcher = undefined;
          wake?.();
        });
      }
      wake = action;
      wanted.resolve();
      return () => {
        if (wake !== action) return;
        wake = undefined;
        wanted = Promise.withResolvers();
      };
    },
    close() {
      watcher?.close();
      wanted.resolve();
    },
  };
}

function openWatcher(path: string): Deno.FsWatcher | undefined {
  try {
    return Deno.watchFs(path, { recursive: false });
  } catch (error) {
    // Whatever it is, looking for changes does as well.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
