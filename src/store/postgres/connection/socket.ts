/** The way to a server: TCP or a Unix socket, encrypted as `sslmode` says, before the first word of the session. */

import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions, Server } from "./options.ts";
import { TimeoutError, UntrustedServerError } from "./connection_errors.ts";
import { encryptedStream, type Encryption } from "./encrypted_stream.ts";
import { socketProblem } from "./socket_owner.ts";
import { once, withErrorListener } from "./stream_events.ts";

/** Connects within `timeout` milliseconds; `requirePeer` is the user that a Unix socket has to be of. */
export async function openSocket(
  server: Server,
  encryption: Encryption,
  options: ConnectionOptions,
): Promise<Duplex> {
  const { requirePeer, connectTimeout: timeout } = options;
  if (server.socket !== null) {
    // Each time: while the server is away, somebody else could listen in its place.
    const problem = socketProblem(server.socket, requirePeer);
    if (problem !== undefined) throw new UntrustedServerError(problem);
  }
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TimeoutError(timeout)), timeout);
  const opening = encryption === "none"
    ? plainStream(server, options, late.signal)
    : encryptedStream(server, encryption, options, late.signal);
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

async function plainStream(
  server: Server,
  { keepAlive }: ConnectionOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const socket = withErrorListener(
    server.socket === null ? createConnection(server.port, server.address) : createConnection(server.socket),
  );
  try {
    await once(socket, "connect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  if (server.socket === null) {
    socket.setNoDelay(true);
    // A connection that was cut without a word is noticed by the system at some time, even while nothing is asked.
    socket.setKeepAlive(keepAlive, 10_000);
  }
  return socket;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
