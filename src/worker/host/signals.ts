/** The signals that ask a process to stop, as far as the system has them. */

// Windows has no TERM and HUP; SIGBREAK is Ctrl-Break there.
const stopSignals: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Lets a file that may not grow any more (`ulimit -f`) be an error of what writes to it, as a full disk is: without a listener
 * the system ends the process.
 */
export function surviveFileSizeLimit(): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGXFSZ", () => {});
}

/**
 * Calls `listener` with 1 for the first stop signal, 2 for the second, and so on; with `ignoreHangUp` not for HUP. Returns
 * how to end that.
 */
export function onStopSignal(listener: (count: number) => void, ignoreHangUp = false): () => void {
  let count = 0;
  const handler = () => listener(++count);
  // Also where HUP was ignored from the start: once Deno listens to any of these it would end the program at that.
  const ignore = () => {};
  const handlers = stopSignals.map((signal) =>
    [signal, ignoreHangUp && signal === "SIGHUP" ? ignore : handler] as const
  );
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  };
}
