/** The way to a server: TCP or a Unix socket, encrypted as `sslmode` says, before the first word of the session. */

import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import type { Server } from "./connection_options.ts";
import { encryptedStream } from "./encrypted_stream.ts";

/** How one attempt to connect encrypts. */
export type Encryption = "none" | "if offered" | "unverified" | "verified" | "verified with host name";

/** The connection has ended before all was answered. */
export class LinkLostError extends Error {
  override readonly name = "LinkLostError";
}

/** The server does not do what `sslmode` asks for. */
export class EncryptionError extends Error {
  override readonly name = "EncryptionError";
}

/** The server has not answered in time. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";

  constructor(timeout: number) {
    super(`no answer within ${Math.round(timeout / 1000)} seconds`);
  }
}

/** Connects within `timeout` milliseconds. */
export async function openSocket(
  server: Server,
  encryption: Encryption,
  rootCertificates: string | null,
  timeout: number,
): Promise<Duplex> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TimeoutError(timeout)), timeout);
  const opening = encryption === "none"
    ? plainStream(server, late.signal)
    : encryptedStream(server, encryption, rootCertificates, late.signal);
  try {
    return await Promise.race([opening, untilAborted(late.signal)]);
  } catch (error) {
    // An attempt to connect cannot be called off: whatever comes of it is closed then.
    if (late.signal.aborted) opening.then((stream) => stream.destroy(), () => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function plainStream(server: Server, signal: AbortSignal): Promise<Duplex> {
  const socket = server.socket === null
    ? createConnection(server.port, server.host)
    : createConnection(server.socket);
  try {
    await once(socket, "connect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  if (server.socket === null) {
    socket.setNoDelay(true);
    // A connection that was cut without a word is noticed by the system at some time, even while nothing is asked.
    socket.setKeepAlive(true, 10_000);
  }
  return socket;
}

/** Waits for an event; throws when the stream fails or ends before it, or the signal is given. */
export function once(stream: Duplex, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const listeners: Array<[string, (value?: unknown) => void]> = [
      [event, () => settle(resolve)],
      ["error", (error) => settle(() => reject(error))],
      ["close", () => settle(() => reject(new LinkLostError("the server has closed the connection")))],
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

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
