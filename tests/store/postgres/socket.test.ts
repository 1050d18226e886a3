/** What becomes of a connection that breaks, whenever it does: an error for whoever waits, and never one for nobody. */

import assert from "node:assert/strict";
import { wrapsStreams } from "../../../src/store/postgres/connection/encrypted_stream.ts";
import { connectionOptions } from "../../../src/store/postgres/connection/options.ts";
import type { Encryption } from "../../../src/store/postgres/connection/encrypted_stream.ts";
import { openSocket } from "../../../src/store/postgres/connection/socket.ts";
import { readProcessEnvironment } from "../../../src/store/postgres/connection/process_environment.ts";
import { openStore } from "../../../src/store/open.ts";
import { postgresServer } from "../../helpers/postgres_database.ts";
import { posixOnly } from "../../helpers/left_out.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { newJobs, told } from "../suite/harness.ts";

const certificate = Deno.env.get("QUEUECTL_TEST_POSTGRES_CERTIFICATE");

/** Opens a stream, and has an error come late: when it is closed, and whoever listened to it does no more. */
async function breakLate(url: string, encryption: Encryption): Promise<void> {
  const options = connectionOptions(url, readProcessEnvironment());
  const stream = await openSocket(options.servers[0], encryption, options);
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.destroy();
  await closed;
  stream.removeAllListeners();
  // Without a listener this throws.
  stream.emit("error", new Error("write EBADF"));
  stream.removeAllListeners("error");
  stream.emit("error", new Error("write EBADF"));
}

const encryptions: Array<[Encryption, boolean]> = [
  ["none", true],
  ["if offered", true],
  ["unverified", wrapsStreams && certificate !== undefined],
  ["verified", certificate !== undefined],
];

for (const [encryption, isPossible] of encryptions) {
  Deno.test({
    name: `postgres: a stream (${encryption}) that breaks when nobody listens any more is nobody's error`,
    ignore: postgresServer === undefined || !isPossible,
    async fn() {
      const url = postgresServer!.replace(/sslmode=\w+/, `sslrootcert=${certificate ?? ""}`);
      await breakLate(url, encryption);
    },
  });
}

Deno.test({
  name: "postgres: a Unix socket that breaks when nobody listens any more is nobody's error",
  ignore: posixOnly("Unix sockets"),
  async fn() {
    await using folder = await temporaryFolder();
    using _listener = Deno.listen({ transport: "unix", path: `${folder.path}/.s.PGSQL.5432` });
    await breakLate(`postgres://u@/d?host=${encodeURIComponent(folder.path)}`, "none");
  },
});

postgresTest(
  "of several hosts the next one is tried, whatever keeps the first from being reached",
  async (test) => {
    const { host, port } = new URL(test.url);
    using nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port: refused } = nobody.addr;
    nobody.close();
    const hosts = [`127.0.0.1:${refused}`, "no-such-host.invalid", "%2Fnonexistent", "[::1]:1"];
    for (const first of hosts.slice(0, Deno.build.os === "windows" ? 2 : 4)) {
      const url = test.url.replace(host, `${first},${host}`);
      await using store = await openStore(url, { missing: "create", durable: false });
      await store.enqueue(newJobs(first));
    }
    const both = test.url.replace(`@${host}`, "@").replace(
      "?",
      `?host=%2Fnonexistent,127.0.0.1&port=${port}&`,
    );
    await using store = await openStore(both, { missing: "create", durable: false });
    assert.equal((await store.counts()).pending, Deno.build.os === "windows" ? 2 : 4);
  },
  { ignore: postgresServer !== undefined && new URL(postgresServer).port === "" },
);

/** What a server says before it hangs up: that it encrypts, half of a message, or that the client is in. */
const lastWords = ["S", "N", "R\0\0", "R\0\0\0\u0008\0\0\0\0", "E\0\0\0\u0005\0"];

for (const words of lastWords) {
  Deno.test(`postgres: a server that hangs up after ${JSON.stringify(words)} is told as one, in every mode`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(1024)).catch(() => {});
        await connection.write(new TextEncoder().encode(words)).catch(() => {});
        connection.close();
      }
    })();
    const root = certificate ? [`verify-ca&sslrootcert=${certificate}`] : [];
    for (const mode of ["disable", "allow", "prefer", "require", ...root]) {
      const url = `postgres://u:p@127.0.0.1:${listener.addr.port}/d?connect_timeout=5&sslmode=${mode}`;
      await assert.rejects(
        openStore(url, { missing: "empty", durable: false }),
        (error) =>
          told("database")(error) &&
          /cannot be (reached|used)|reports an error/.test((error as Error).message),
        mode,
      );
    }
    listener.close();
    await serving;
  });
}
