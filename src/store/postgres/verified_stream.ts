/**
 * An encrypted connection whose certificate is checked, as the stream that the driver wants. Made by `Deno.startTls`:
 * Deno's `node:tls` on a socket that is connected already checks nothing before 2.9.
 */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { Server } from "./connection_options.ts";
import { EncryptionError, encryptionOffered, encryptionRequest, LinkLostError } from "./socket.ts";

/** Connects, and checks the certificate against those to trust (null: the system's) and, if told so, the host name. */
export async function verifiedStream(
  { host, port }: Server,
  rootCertificates: string | null,
  isHostChecked: boolean,
): Promise<Duplex> {
  const plain = await Deno.connect({ hostname: host, port });
  try {
    plain.setNoDelay(true);
    plain.setKeepAlive(true);
    await plain.write(encryptionRequest);
    const answer = new Uint8Array(1);
    if (await plain.read(answer) === null) {
      throw new LinkLostError("the server has closed the connection");
    }
    if (answer[0] !== encryptionOffered) {
      throw new EncryptionError("the server does not offer encryption, which sslmode asks for");
    }
  } catch (error) {
    plain.close();
    throw error;
  }
  const encrypted = await Deno.startTls(plain, {
    hostname: host,
    ...rootCertificates !== null && { caCerts: [rootCertificates] },
    unsafelyDisableHostnameVerification: !isHostChecked,
  });
  try {
    await encrypted.handshake();
  } catch (error) {
    encrypted.close();
    throw new EncryptionError(`its certificate is not trusted: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return streamOf(encrypted);
}

function streamOf(connection: Deno.TlsConn): Duplex {
  let isReading = false;
  const stream = new Duplex({
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
      try {
        connection.close();
      } catch (closed) {
        if (!(closed instanceof Deno.errors.BadResource)) return done(closed as Error);
      }
      done(error);
    },
  });

  async function readOn(): Promise<void> {
    for (;;) {
      const buffer = new Uint8Array(64 * 1024);
      const count = await connection.read(buffer).catch((error) => {
        if (stream.destroyed) return null;
        throw error;
      });
      if (count === null) return void (stream.destroyed || stream.push(null));
      if (!stream.push(Buffer.from(buffer.buffer, 0, count))) return;
    }
  }

  async function writeAll(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
  }

  return stream;
}
