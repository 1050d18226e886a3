/** Being told of changes, in place of looking for them all the time. */

/**
 * Calls `wake` whenever something is written to the log of a database, by this process too, until what is returned is
 * called; it may be called a moment before the change can be seen. Null where files cannot be watched: elsewhere than on
 * Linux the systems tell late, or only when the file is closed, and on Linux the number of watches is limited.
 */
export function watchLog(path: string, wake: () => void): (() => void) | null {
  if (Deno.build.os !== "linux") return null;
  const watcher = openWatcher(`${path}-wal`);
  if (!watcher) return null;
  async function pass(): Promise<void> {
    for await (const _ of watcher!) wake();
  }
  // Who is told of a change that is none looks for changes, and so does without the watch for a while.
  pass().catch(wake);
  return () => watcher.close();
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
