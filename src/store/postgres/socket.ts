/** The way to a server: TCP or a Unix socket, encrypted as `sslmode` says, before the first word of the session. */

import { createConnection, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import type { Server } from "./connection_options.ts";
import { verifiedStream } from "./verified_stream.ts";

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

/** "Do you encrypt?" in PostgreSQL's protocol: its length, and a number that no version has. */
export const encryptionRequest = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
export const encryptionOffered = "S".charCodeAt(0);

/** Connects within `timeout` milliseconds. */
export async function openSocket(
  server: Server,
  encryption: Encryption,
  rootCertificates: string | null,
  timeout: number,
): Promise<Duplex> {
  const opened: Array<{ destroy(): void }> = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(timeout)), timeout);
  });
  try {
    return await Promise.race([late, open(server, encryption, rootCertificates, opened)]);
  } catch (error) {
    for (const socket of opened) socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The server has not answered in time. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";

  constructor(timeout: number) {
    super(`no answer within ${Math.round(timeout / 1000)} seconds`);
  }
}

async function open(
  server: Server,
  encryption: Encryption,
  rootCertificates: string | null,
  opened: Array<{ destroy(): void }>,
): Promise<Duplex> {
  if (encryption.startsWith("verified")) {
    const isHostChecked = encryption === "verified with host name";
    const stream = await verifiedStream(server, rootCertificates, isHostChecked);
    opened.push(stream);
    return stream;
  }
  const socket = server.socket === null
    ? createConnection(server.port, server.host)
    : createConnection(server.socket);
  opened.push(socket);
  await once(socket, "connect");
  if (server.socket === null) {
    socket.setNoDelay(true);
    // A connection that was cut without a word is noticed by the system at some time, even while nothing is asked.
    socket.setKeepAlive(true, 10_000);
  }
  if (encryption === "none") return socket;
  let encrypted: Duplex | undefined;
  // Before Deno 2.9 it has to take over the socket within the very event, or it waits for ever.
  socket.once("data", (answer: Uint8Array) => {
    // What "require" promises is secrecy from who listens only: libpq checks no certificate either.
    if (answer[0] === encryptionOffered) {
      // Some hosts find the database by the name that is asked for.
      const servername = isIP(server.host) === 0 ? server.host : undefined;
      encrypted = connectTls({ socket, servername, rejectUnauthorized: false });
    }
  });
  socket.write(encryptionRequest);
  await once(socket, "data");
  if (!encrypted) {
    if (encryption === "if offered") return socket;
    throw new EncryptionError("the server does not offer encryption, which sslmode asks for");
  }
  opened.push(encrypted);
  await once(encrypted, "secureConnect");
  return encrypted;
}

/** What comes with the event; throws when the socket fails or ends before it. */
function once(socket: Duplex, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listeners: Array<[string, (value?: unknown) => void]> = [
      [event, (value) => settle(() => resolve(value))],
      ["error", (error) => settle(() => reject(error))],
      ["close", () => settle(() => reject(new LinkLostError("the server has closed the connection")))],
    ];
    function settle(action: () => void): void {
      for (const [name, listener] of listeners) socket.removeListener(name, listener);
      action();
    }
    for (const [name, listener] of listeners) socket.on(name, listener);
  });
}
