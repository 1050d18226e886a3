/**
 * What a server may ask of a client before it lets it in: looked at before the client library sees it, which answers
 * whatever is asked. PostgreSQL's protocol, "Authentication…" messages: type byte `R`, length, number of the request.
 */

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { AuthMethod, AuthRule } from "./auth_rule.ts";
import { type Login, mechanism } from "./scram.ts";
import { UntrustedServerError } from "./connection_errors.ts";

/** The numbers of requests. */
const requests = new Map<number, AuthMethod>([[3, "password"], [5, "md5"], [7, "gss"], [9, "sspi"], [
  10,
  "scram-sha-256",
]]);
const [accepted, scramContinue, scramFinal] = [0, 11, 12];

/** What may come before a client is let in: authentication, error, notice, and which version the server has. */
const early = [..."RENv"].map((type) => type.charCodeAt(0));

const unproven = "the server did not prove that it knows the password";
const unbound = "the server does not offer channel binding, which channel_binding=require asks for";
const notTheProtocol = "it does not speak PostgreSQL's protocol";

/** No message is as long before a client is let in. */
const longestMessage = 64 * 1024;

/**
 * Looks at what a server asks for until it has let the client in. `isKnown` says that it is the right server, by its
 * certificate or its socket. With `login` the only way in is that one, which is done here: the client library sees nothing
 * of it. `refuse` is called where something is refused: nobody who listens to the stream gets that, or anything after it.
 */
export function watchAuthentication(
  stream: Duplex,
  rule: AuthRule,
  isKnown: boolean,
  refuse: (error: UntrustedServerError) => void,
  login?: Login,
): void {
  let pending = new Uint8Array();
  let method: AuthMethod = "none";
  let isProven = false;
  let isRefused = false;

  /** Passes on what others may get, message by message. */
  function look(chunk: Uint8Array): void {
    pending = concatenated(pending, chunk);
    while (!isRefused && pending.length >= 5) {
      const view = new DataView(pending.buffer, pending.byteOffset);
      const length = view.getUint32(1);
      const isRequest = pending[0] === early[0];
      // What comes too early could make the driver believe that it was let in.
      if (!early.includes(pending[0]) || length < (isRequest ? 8 : 4) || length > longestMessage) {
        return end(notTheProtocol);
      }
      if (pending.length <= length) return;
      const message = Buffer.from(pending.subarray(0, 1 + length));
      pending = pending.subarray(1 + length);
      if (!isRequest) {
        emit.call(stream, "data", message);
        continue;
      }
      const request = view.getUint32(5);
      const problem = problemOf(request) ?? (login && bound(login, request, message.toString("utf8", 9)));
      if (problem !== undefined) return end(problem);
      if (request === accepted) stream.emit = emit;
      if (request === accepted || !login) emit.call(stream, "data", message);
      if (request === accepted) {
        return void (pending.length > 0 && emit.call(stream, "data", Buffer.from(pending)));
      }
    }
  }

  /** Answers a request of the login that is bound to the connection; undefined where that is right. */
  function bound(login: Login, request: number, text: string): string | undefined {
    switch (request) {
      case 10: {
        if (!text.split("\0").includes(mechanism)) break;
        const first = Buffer.from(login.first);
        const head = Buffer.from(`${mechanism}\0\0\0\0\0`);
        head.writeUInt32BE(first.length, mechanism.length + 1);
        return void send(Buffer.concat([head, first]));
      }
      case scramContinue: {
        const second = login.second(text);
        return second === undefined ? notTheProtocol : void send(Buffer.from(second));
      }
      case scramFinal:
        return login.isProof(text) ? undefined : unproven;
      case accepted:
        if (method === "scram-sha-256") return undefined;
    }
    return unbound;
  }

  function send(content: Buffer): void {
    const head = Buffer.from("p\0\0\0\0");
    head.writeUInt32BE(4 + content.length, 1);
    stream.write(Buffer.concat([head, content]));
  }

  function problemOf(request: number): string | undefined {
    if (request === accepted) {
      if (method === "scram-sha-256" && !isProven) return unproven;
      return isAllowed() ? undefined : "the server asks for no password, which require_auth does not allow";
    }
    if (request === scramContinue || request === scramFinal) {
      // Whether the proof is right is looked at by who has logged in.
      isProven = request === scramFinal;
      return method === "scram-sha-256" ? undefined : notTheProtocol;
    }
    const asked = requests.get(request);
    if (asked === undefined || asked === "gss" || asked === "sspi") {
      return `the server asks for a way to log in that queuectl does not have (${
        asked ?? `number ${request}`
      })`;
    }
    method = asked;
    if (!isAllowed()) return `the server asks for ${asked}, which require_auth does not allow`;
    if (login && method !== "scram-sha-256") return unbound;
    if (method === "password" && !rule.clearText && !isKnown) {
      return "the server asks for the password in clear text, and it is not known to be the right one; use " +
        "sslmode=verify-full or let it ask for scram-sha-256; require_auth=password sends it all the same";
    }
  }

  const isAllowed = () => rule.methods.includes(method);

  function end(problem: string): void {
    isRefused = true;
    refuse(new UntrustedServerError(problem));
  }

  // As another listener it could not keep from the driver what it refuses.
  const { emit } = stream;
  stream.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === "data") return look(values[0] as Uint8Array), true;
    return emit.call(stream, event, ...values);
  };
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
