/** `channel_binding=require`: a login that nobody between client and server can pass on, or none. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { wrapsStreams } from "../../../src/store/postgres/connection/encrypted_stream.ts";
import { beginLogin } from "../../../src/store/postgres/connection/scram.ts";
import { openStore } from "../../../src/store/open.ts";
import { ownDatabase } from "../../helpers/own_database.ts";
import { postgresServer } from "../../helpers/postgres_database.ts";
import { told } from "../suite/harness.ts";

const certificate = Deno.env.get("QUEUECTL_TEST_POSTGRES_CERTIFICATE");
const file = (name: string) =>
  Deno.readTextFileSync(new URL(`../../helpers/certificates/${name}`, import.meta.url));

const open = (url: string) => openStore(url, { missing: "create", durable: false });

/** Registers a test with the URL of a role of its own, to which parameters can be added. */
function bindingTest(
  name: string,
  body: (url: URL, add: (parameters: string) => string) => Promise<void>,
): void {
  Deno.test({
    name: `postgres: ${name}`,
    ignore: postgresServer === undefined || certificate === undefined || !wrapsStreams,
    async fn() {
      await using database = await ownDatabase();
      const role = await database.role("SUPERUSER");
      const url = new URL(role.url);
      url.searchParams.delete("sslmode");
      await body(url, (parameters) => `${url.href}?channel_binding=require&${parameters}`);
    },
  });
}

bindingTest("a hosted service's URL is kept in every mode that encrypts", async (url, add) => {
  const modes = ["sslmode=require", "sslmode=prefer", "", `sslmode=verify-ca&sslrootcert=${certificate}`];
  for (const mode of modes) {
    await using store = await open(add(mode));
    assert.equal((await store.counts()).pending, 0, mode);
  }
  await assert.rejects(
    open(add(`sslmode=verify-full&sslrootcert=${certificate}`)),
    told("database", "its certificate is not trusted"),
  );
  url.hostname = "localhost";
  await using named = await open(add(`sslmode=verify-full&sslrootcert=${certificate}`));
  assert.equal((await named.counts()).pending, 0);
  url.password = "wrong";
  await assert.rejects(open(add("sslmode=require")), told("database", "password authentication failed"));
});

bindingTest("who sits between client and server with another certificate gets no login", async (url, add) => {
  const [cert, key] = [file("other.crt"), file("other.key")];
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const plain = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = Number(url.port);
  const ignore = () => {};
  // Takes off the encryption of the client, and puts on its own to the server.
  const passing = (async () => {
    for await (const client of plain) {
      await client.read(new Uint8Array(8));
      await client.write(new TextEncoder().encode("S"));
      const inner = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
      void client.readable.pipeTo(inner.writable).catch(ignore);
      void inner.readable.pipeTo(client.writable).catch(ignore);
      const decrypted = await listener.accept();
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      await server.write(new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
      await server.read(new Uint8Array(1));
      const encrypted = await Deno.startTls(server, {
        hostname: "localhost",
        caCerts: [file("authority.crt")],
      });
      void decrypted.readable.pipeTo(encrypted.writable).catch(ignore);
      void encrypted.readable.pipeTo(decrypted.writable).catch(ignore);
    }
  })();
  url.port = String((plain.addr as Deno.NetAddr).port);
  // As a service that does not ask for it: nobody notices.
  await using store = await open(`${url.href}?sslmode=require`);
  assert.equal((await store.counts()).pending, 0);
  await assert.rejects(open(add("sslmode=require")), told("database", "channel binding"));
  plain.close();
  await passing;
});

Deno.test("SCRAM with channel binding: the messages of both sides, and what is no answer", () => {
  const endPoint = createHash("sha256").update("certificate").digest();
  const login = beginLogin("pencil", endPoint, "rOprNGfwEbeRWgbNEkqO");
  assert.equal(login.first, "p=tls-server-end-point,,n=*,r=rOprNGfwEbeRWgbNEkqO");
  const answer = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  assert.equal(login.isProof("v="), false);
  for (
    const wrong of [
      "",
      "r=other,s=AA==,i=4096",
      answer.replace("4096", "0"),
      answer.replace("4096", "99999999"),
    ]
  ) {
    assert.equal(login.second(wrong), undefined, wrong);
  }
  const [, binding, proof] = /^c=([^,]+),r=.*,p=(.+)$/.exec(login.second(answer)!)!;
  const header = Buffer.from("p=tls-server-end-point,,");
  assert.deepEqual(Buffer.from(binding, "base64"), Buffer.concat([header, endPoint]));
  assert.equal(Buffer.from(proof, "base64").length, 32);
  assert.equal(login.isProof(`v=${Buffer.alloc(32).toString("base64")}`), false);
});
