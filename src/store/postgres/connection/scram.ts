/**
 * SCRAM-SHA-256-PLUS, the client's side: a login that a third party between client and server cannot pass on, because the
 * proofs are also about the certificate that the client has seen. RFC 5802, 5929 (`tls-server-end-point`) and 7677. The
 * client library knows SCRAM without that alone.
 */

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

export const mechanism = "SCRAM-SHA-256-PLUS";

/** No server asks for more; whoever did would have the client count for minutes. */
const mostIterations = 10_000_000;

export interface Login {
  /** The first message of the client. */
  first: string;
  /** The second, for what the server has answered; undefined where that is none. */
  second(answer: string): string | undefined;
  /** Whether the last message of the server proves that it knows the password. */
  isProof(answer: string): boolean;
}

/** A login with a password, on a connection whose server is known by `endPoint`, the hash of its certificate. */
export function beginLogin(
  password: string,
  endPoint: Uint8Array,
  nonce = randomBytes(18).toString("base64"),
): Login {
  const header = "p=tls-server-end-point,,";
  // The server has the name of the user already.
  const bare = `n=*,r=${nonce}`;
  let proof: Buffer | undefined;
  return {
    first: header + bare,
    second(answer) {
      const [, serverNonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d+)(?:,.*)?$/.exec(answer) ?? [];
      const iterations = Number(count);
      if (!serverNonce?.startsWith(nonce) || !(iterations >= 1 && iterations <= mostIterations)) {
        return undefined;
      }
      const binding = Buffer.concat([Buffer.from(header), endPoint]).toString("base64");
      const withoutProof = `c=${binding},r=${serverNonce}`;
      const authentication = `${bare},${answer},${withoutProof}`;
      const salted = pbkdf2Sync(
        password.normalize("NFKC"),
        Buffer.from(salt, "base64"),
        iterations,
        32,
        "sha256",
      );
      const clientKey = hmac(salted, "Client Key");
      const signature = hmac(createHash("sha256").update(clientKey).digest(), authentication);
      proof = hmac(hmac(salted, "Server Key"), authentication);
      const clientProof = clientKey.map((byte, index) => byte ^ signature[index]);
      return `${withoutProof},p=${Buffer.from(clientProof).toString("base64")}`;
    },
    isProof(answer) {
      const given = Buffer.from(/^v=([^,]+)/.exec(answer)?.[1] ?? "", "base64");
      return proof !== undefined && given.length === proof.length && timingSafeEqual(given, proof);
    },
  };
}

const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
