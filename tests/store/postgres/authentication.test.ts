/** What a server asks for before it lets a client in: a password never goes to one that may be another. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PassThrough } from "node:stream";
import { removeIfThere } from "../../../src/base/files.ts";
import { openStore } from "../../../src/store/open.ts";
import { parseRequireAuth, standardRule } from "../../../src/store/postgres/connection/auth_rule.ts";
import { watchAuthentication } from "../../../src/store/postgres/connection/authentication.ts";
import type { UntrustedServerError } from "../../../src/store/postgres/connection/connection_errors.ts";
import { posixOnly } from "../../helpers/left_out.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { told } from "../suite/harness.ts";

const secret = "geheim";

/** A message of an authentication. */
function asks(request: number, rest = ""): Uint8Array {
  const message = Buffer.alloc(9 + rest.length);
  message.write("R");
  message.writeUInt32BE(8 + rest.length, 1);
  message.writeUInt32BE(request, 5);
  message.write(rest, 9);
  return message;
}

const [accepted, clearText, md5, gss, scram, scramContinue, scramFinal] = [0, 3, 5, 7, 10, 11, 12];

/** A server that asks for something, whatever it is told, and keeps what it gets after a client's first message. */
function fakeServer(listener: Deno.Listener, answers: readonly Uint8Array[]) {
  let received = "";
  let connections = 0;
  async function serve(connection: Deno.Conn): Promise<void> {
    connections++;
    const buffer = new Uint8Array(64 * 1024);
    try {
      await connection.read(buffer);
      for (const answer of answers) await connection.write(answer);
      for (let size; (size = await connection.read(buffer)) !== null;) {
        received += new TextDecoder().decode(buffer.subarray(0, size));
        if (received.includes(secret)) break;
      }
    } catch (error) {
      // The client may hang up at any time.
      if (!(error instanceof Error)) throw error;
    }
    connection.close();
  }
  const running: Array<Promise<void>> = [];
  const accepting = (async () => {
    for await (const connection of listener) running.push(serve(connection));
  })();
  return {
    /** Ends it; what it has got. */
    async end() {
      listener.close();
      await accepting;
      await Promise.all(running);
      return { received, connections };
    },
  };
}

const open = (url: string) => openStore(url, { missing: "empty", durable: false });

/** What a server on loopback has got from who opens a queue there. */
async function askedOnLoopback(answers: readonly Uint8Array[], query: string, ...words: string[]) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = fakeServer(listener, answers);
  await assert.rejects(
    open(
      `postgres://u:${secret}@127.0.0.1:${listener.addr.port}/d?sslmode=disable&connect_timeout=5${query}`,
    ),
    told("database", ...words),
  );
  return (await server.end()).received;
}

Deno.test("postgres: a server on loopback that asks for the password in clear text does not get it", async () => {
  assert.equal(await askedOnLoopback([asks(clearText)], "", "in clear text", "require_auth=password"), "");
  assert.equal(await askedOnLoopback([asks(clearText)], "&require_auth=!md5", "in clear text"), "");
  // In pieces, and behind something else.
  const notice = new Uint8Array([..."N\0\0\0\u0005\0"].map((character) => character.charCodeAt(0)));
  const [first, second] = [asks(clearText).subarray(0, 6), asks(clearText).subarray(6)];
  assert.equal(await askedOnLoopback([notice, first, second], "", "in clear text"), "");
});

Deno.test("postgres: who says so has it sent in clear text", async () => {
  const received = await askedOnLoopback([asks(clearText)], "&require_auth=password", "cannot be reached");
  assert.ok(received.includes(`${secret}\0`), received);
});

Deno.test("postgres: only what require_auth names may be asked for", async () => {
  const refused = (answers: Uint8Array[], methods: string, ...words: string[]) =>
    askedOnLoopback(answers, `&require_auth=${methods}`, ...words, "require_auth does not allow");
  assert.equal(await refused([asks(md5, "salt")], "scram-sha-256", "asks for md5"), "");
  assert.equal(await refused([asks(clearText)], "md5,scram-sha-256", "asks for password"), "");
  await refused([asks(accepted)], "scram-sha-256", "asks for no password");
  await askedOnLoopback([asks(gss)], "", "a way to log in that queuectl does not have (gss)");
  await askedOnLoopback([asks(scram, "SCRAM-SHA-256\0\0"), asks(accepted)], "", "did not prove");
  // Where nothing else says so, "ready" would be taken for "let in".
  const ready = new TextEncoder().encode("Z\0\0\0\u0005I");
  const wrong = [ready, asks(scramFinal, "v=1"), asks(clearText).subarray(0, 5).with(4, 4)];
  for (const answer of [...wrong, new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")]) {
    assert.equal(await askedOnLoopback([answer], "", "does not speak PostgreSQL's protocol"), "");
  }
});

Deno.test({
  name: "postgres: a socket of one's own is known, one of another user than requirepeer is not even opened",
  ignore: posixOnly("Unix sockets"),
  async fn() {
    await using folder = await temporaryFolder();
    const ask = async (query: string, ...words: string[]) => {
      const path = `${folder.path}/.s.PGSQL.5432`;
      const server = fakeServer(Deno.listen({ transport: "unix", path }), [asks(clearText)]);
      const url = `postgres:///d?user=u&password=${secret}&host=${encodeURIComponent(folder.path)}${query}`;
      await assert.rejects(open(url), told("database", ...words));
      const got = await server.end();
      removeIfThere(path);
      return got;
    };
    assert.ok((await ask("", "cannot be reached")).received.includes(secret));
    assert.deepEqual(await ask("&requirepeer=4294967294", "not to 4294967294 (requirepeer)"), {
      received: "",
      connections: 0,
    });
    assert.ok((await ask(`&requirepeer=${Deno.uid()}`, "cannot be reached")).received.includes(secret));
    // As /tmp, but without its sticky bit.
    Deno.chmodSync(folder.path, 0o777);
    assert.equal((await ask("", "can be replaced by anybody")).connections, 0);
    Deno.chmodSync(folder.path, 0o1777);
    assert.ok((await ask("", "cannot be reached")).received.includes(secret));
  },
});

Deno.test("postgres: a server that is known may ask for the password in clear text", async () => {
  const watched = async (isKnown: boolean, messages: readonly Uint8Array[]) => {
    const stream = new PassThrough();
    const refused: UntrustedServerError[] = [];
    let count = 0;
    watchAuthentication(stream, standardRule, isKnown, (error) => refused.push(error));
    stream.on("data", (chunk: Uint8Array) => count += chunk.length);
    const whole = Buffer.concat(messages);
    for (const byte of whole) stream.write(new Uint8Array([byte]));
    stream.end();
    await new Promise((resolve) => stream.on("end", resolve));
    assert.equal(count < whole.length, refused.length > 0, "what is refused is for nobody");
    return refused.map(({ message }) => message);
  };
  assert.deepEqual(await watched(true, [asks(clearText), asks(accepted)]), []);
  assert.equal((await watched(false, [asks(clearText), asks(accepted)])).length, 1);
  const proof = [
    asks(scram, "SCRAM-SHA-256\0\0"),
    asks(scramContinue, "r=1"),
    asks(scramFinal, "v=1"),
    asks(accepted),
  ];
  assert.deepEqual(await watched(false, proof), []);
  // What comes later is data: a row may look like anything.
  assert.deepEqual(await watched(false, [asks(accepted), asks(clearText), asks(gss)]), []);
});

Deno.test("postgres: require_auth is a list of methods, or of those that may not be", () => {
  assert.deepEqual(parseRequireAuth("password"), { methods: ["password"], clearText: true });
  assert.deepEqual(parseRequireAuth("md5, scram-sha-256"), {
    methods: ["md5", "scram-sha-256"],
    clearText: false,
  });
  assert.deepEqual(parseRequireAuth("!password,!none"), {
    methods: ["md5", "gss", "sspi", "scram-sha-256"],
    clearText: false,
  });
  for (const wrong of ["", "scram", "md5,!none", "!md5,none", "md5,md5", "!"]) {
    assert.equal(parseRequireAuth(wrong), undefined, wrong);
  }
});
