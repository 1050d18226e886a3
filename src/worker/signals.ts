/** The signals that ask a process to stop, as far as the system has them. */

// Windows has no TERM and HUP; SIGBREAK is Ctrl-Break there.
const stopSignals: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Calls `listener` with 1 for the first stop signal, 2 for the second, and so on. Returns how to end that. */
export function onStopSignal(listener: (count: number) => void): () => void {
  let count = 0;
  const handler = () => listener(++count);
  for (const signal of stopSignals) Deno.addSignalListener(signal, handler);
  return () => {
    for (const signal of stopSignals) Deno.removeSignalListener(signal, handler);
  };
}
