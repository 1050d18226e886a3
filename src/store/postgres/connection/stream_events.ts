/** Waiting for the events of a stream, and its errors. */

import type { Duplex } from "node:stream";
import { SessionLostError } from "./connection_errors.ts";

/**
 * The stream, with a listener for errors that stays for good: what breaks late, when nobody waits for it any more, would
 * end the program. The driver takes all listeners away when it is told the end, which may come before the error.
 */
export function withErrorListener<Stream extends Duplex>(stream: Stream): Stream {
  const ignore = () => {};
  const { removeAllListeners } = stream;
  stream.removeAllListeners = (event) => removeAllListeners.call(stream, event).on("error", ignore) as Stream;
  return stream.on("error", ignore);
}

/** Waits for an event; throws when the stream fails or ends before it, or the signal is given. */
export function once(stream: Duplex, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => settle(() => reject(new SessionLostError("the server has closed the connection")));
    const listeners: Array<[string, (value?: unknown) => void]> = [
      [event, () => settle(resolve)],
      ["error", (error) => settle(() => reject(error))],
      // Before Deno 2.9 the error that it was closed for may come after it.
      ["close", () => setTimeout(closed)],
    ];
    const abort = () => settle(() => reject(signal.reason));
    function settle(action: () => void): void {
      for (const [name, listener] of listeners) stream.removeListener(name, listener);
      signal.removeEventListener("abort", abort);
      action();
    }
    for (const [name, listener] of listeners) stream.on(name, listener);
    signal.addEventListener("abort", abort);
  });
}
