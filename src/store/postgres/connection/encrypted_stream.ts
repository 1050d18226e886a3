/**
 * An encrypted connection as the stream that the driver wants. With a certificate that is checked it is made by
 * `Deno.startTls`, because Deno's `node:tls` checks nothing on a connection that is there already before 2.9; with any
 * certificate by `node:tls`, because Deno itself always checks, and where it has to be known, which Deno itself does not
 * tell. That gets a stream of ours and no socket: of a socket it
 * would now and then miss the first bytes, and wait for ever.
 */

import { Buffer } from "node:buffer";
import { createHash, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { ConnectionOptions, Server } from "./options.ts";
import { EncryptionError, SessionLostError } from "./connection_errors.ts";
import { once, withErrorListener } from "./stream_events.ts";

/** How one attempt to connect encrypts. */
export type Encryption = "none" | "if offered" | "unverified" | "verified" | "verified with host name";

/** Whether `node:tls` takes a stream that is no socket: before Deno 2.9 it turns in circles. */
export const wrapsStreams = isAtLeast(Deno.version.deno, 2, 9);

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor, ownMinor] = version.split(".").map(Number);
  return ownMajor > major || ownMajor === major && ownMinor >= minor;
}

/** "Do you encrypt?" in PostgreSQL's protocol: its length, and a number that no version has. */
const encryptionRequest = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const encryptionOffered = "S".charCodeAt(0);

/** Connects, and encrypts as asked; `rootCertificates` are those to trust (null: the system's). `signal` ends it. */
export async function encryptedStream(
  { host, address, port }: Server,
  encryption: Exclude<Encryption, "none">,
  { rootCertificates, keepAlive, channelBinding }: ConnectionOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const plain = await Deno.connect({ hostname: address, port });
  const close = () => closeOnce(plain);
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) throw signal.reason;
    plain.setNoDelay(true);
    plain.setKeepAlive(keepAlive);
    // Nothing is promised, and what was offered cannot be declined.
    if (encryption === "if offered" && !wrapsStreams) return streamOf(plain);
    if (!await isOffered(plain)) {
      if (encryption === "if offered") return streamOf(plain);
      throw new EncryptionError("the server does not offer encryption, which sslmode asks for");
    }
    const isVerified = encryption.startsWith("verified");
    if (isVerified && !channelBinding) {
      return streamOf(await encryptVerified(plain, host, rootCertificates, encryption));
    }
    if (!wrapsStreams) {
      throw new EncryptionError(
        channelBinding
          ? "channel_binding=require needs Deno 2.9; without it, sslmode=verify-full makes sure of the server too"
          : "to encrypt without checking the certificate needs Deno 2.9; use sslmode=verify-full or verify-ca",
      );
    }
    return await encryptByNode(plain, host, rootCertificates, encryption, signal);
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function isOffered(plain: Deno.TcpConn): Promise<boolean> {
  await plain.write(encryptionRequest);
  const answer = new Uint8Array(1);
  if (await plain.read(answer) === null) throw new SessionLostError("the server has closed the connection");
  return answer[0] === encryptionOffered;
}

/** What "require" promises is secrecy from who listens only: libpq checks no certificate either. */
async function encryptByNode(
  plain: Deno.TcpConn,
  host: string,
  rootCertificates: string | null,
  encryption: Encryption,
  signal: AbortSignal,
): Promise<Duplex> {
  const inner = streamOf(plain);
  const isVerified = encryption.startsWith("verified");
  const encrypted = withErrorListener(connectTls({
    socket: inner,
    host,
    // Some hosts find the database by the name that is asked for.
    servername: isIP(host) === 0 ? host : undefined,
    rejectUnauthorized: isVerified,
    ...isVerified && rootCertificates !== null && { ca: [rootCertificates] },
    ...encryption !== "verified with host name" && { checkServerIdentity: () => undefined },
  }));
  // Nor does it always close this, or bear that something still comes.
  encrypted.once("close", () => inner.destroy());
  try {
    await once(encrypted, "secureConnect", signal);
    return encrypted;
  } catch (error) {
    encrypted.destroy();
    if (!isVerified || error instanceof SessionLostError || signal.aborted) throw error;
    throw untrusted(error as Error);
  }
}

/**
 * The hash of the server's certificate, by which both ends tell that they speak of one connection: `tls-server-end-point`,
 * RFC 5929. Throws where there is no such connection or hash.
 */
export function serverEndPoint(stream: Duplex): Uint8Array {
  if (!(stream instanceof TLSSocket)) {
    throw new EncryptionError(
      "channel_binding=require needs encryption, which this connection does not have",
    );
  }
  const certificate: X509Certificate & { signatureAlgorithm?: string } | undefined = stream
    .getPeerX509Certificate();
  const [, bits] = /SHA(1|256|384|512)(?!\d)/i.exec(certificate?.signatureAlgorithm ?? "") ?? [];
  if (certificate === undefined || bits === undefined) {
    throw new EncryptionError(
      "its certificate is signed in a way that channel_binding=require cannot be kept with",
    );
  }
  return createHash(bits === "1" ? "sha256" : `sha${bits}`).update(certificate.raw).digest();
}

async function encryptVerified(
  plain: Deno.TcpConn,
  host: string,
  rootCertificates: string | null,
  encryption: Encryption,
): Promise<Deno.TlsConn> {
  const encrypted = await Deno.startTls(plain, {
    hostname: host,
    ...rootCertificates !== null && { caCerts: [rootCertificates] },
    unsafelyDisableHostnameVerification: encryption !== "verified with host name",
  });
  try {
    await encrypted.handshake();
    return encrypted;
  } catch (error) {
    encrypted.close();
    throw untrusted(error as Error);
  }
}

const untrusted = (cause: Error) =>
  new EncryptionError(`its certificate is not trusted: ${cause.message}`, { cause });

function closeOnce(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Reads and writes a connection. */
function streamOf(connection: Deno.Conn): Duplex {
  let isReading = false;
  const stream = withErrorListener(
    new Duplex({
      allowHalfOpen: false,
      read() {
        if (isReading) return;
        isReading = true;
        readOn().catch((error) => stream.destroy(error)).finally(() => isReading = false);
      },
      write(chunk: Uint8Array, _encoding, done) {
        writeAll(chunk).then(() => done(), done);
      },
      destroy(error, done) {
        closeOnce(connection);
        done(error);
      },
    }),
  );

  async function readOn(): Promise<void> {
    for (;;) {
      const buffer = new Uint8Array(64 * 1024);
      const count = await connection.read(buffer).catch((error) => {
        if (stream.destroyed) return null;
        throw error;
      });
      if (stream.destroyed) return;
      if (count === null) return void stream.push(null);
      if (!stream.push(Buffer.from(buffer.buffer, 0, count))) return;
    }
  }

  async function writeAll(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
  }

  return stream;
}
