/** `sslmode` against the throw-away server, which has a certificate for `localhost` that one authority has signed. */

import assert from "node:assert/strict";
import { wrapsStreams } from "../../../src/store/postgres/connection/encrypted_stream.ts";
import { openStore } from "../../../src/store/open.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { told } from "../suite/harness.ts";

const certificate = Deno.env.get("QUEUECTL_TEST_POSTGRES_CERTIFICATE");
// Another authority, whatever has its name.
const other = new URL("../../helpers/certificates/server.crt", import.meta.url).pathname;

/** What encryption without a check gives: an older Deno cannot do it. */
const unchecked = wrapsStreams ? true : "needs Deno 2.9";

/** Whether the session is encrypted, or why there is none. */
const cases: Array<[host: string, parameters: string, expected: boolean | string]> = [
  ["127.0.0.1", "sslmode=disable", false],
  ["127.0.0.1", "sslmode=allow", false],
  ["127.0.0.1", "sslmode=prefer", unchecked === true],
  ["127.0.0.1", "sslmode=require", unchecked],
  ["127.0.0.1", `sslmode=verify-ca&sslrootcert=${certificate}`, true],
  ["127.0.0.1", `sslmode=require&sslrootcert=${certificate}`, true],
  ["127.0.0.1", `sslmode=verify-ca&sslrootcert=${other}`, "not trusted"],
  ["127.0.0.1", "sslrootcert=system", "not trusted"],
  ["localhost", `sslmode=verify-full&sslrootcert=${certificate}`, true],
  ["127.0.0.1", `sslmode=verify-full&sslrootcert=${certificate}`, "not trusted"],
  ["127.0.0.1", "sslmode=verify-full&sslrootcert=/nowhere", "no file /nowhere"],
];

for (const [host, parameters, expected] of cases) {
  const shown = parameters.replace(certificate ?? "none", "AUTHORITY").replace(other, "OTHER");
  postgresTest(`${shown} to ${host}`, async ({ url, query }) => {
    const name = crypto.randomUUID();
    const place = new URL(url.replace(/sslmode=\w+&/, ""));
    place.hostname = host;
    const address = `${place.href.replaceAll("+", "%20")}&application_name=${name}&${parameters}`;
    const opening = openStore(address, { missing: "create", durable: true });
    if (typeof expected === "string") {
      await assert.rejects(opening, told(expected.startsWith("no file") ? "usage" : "database", expected));
      return;
    }
    await using store = await opening;
    const sessions = await query(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = '${name}'`,
    );
    assert.deepEqual(sessions, [{ ssl: expected }]);
    // More than one record of the encryption.
    const text = "x".repeat(100_000);
    await store.setSetting("grace", text);
    assert.deepEqual(await store.settings(), [["grace", text]]);
    // Whatever it is made of, its end is noticed.
    await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`);
    assert.equal((await store.settings()).length, 1);
  }, { ignore: certificate === undefined });
}

postgresTest("many encrypted sessions at once", async ({ url }) => {
  const place = new URL(url.replace(/sslmode=\w+&/, ""));
  const checked = `sslmode=verify-ca&sslrootcert=${certificate}`;
  const address = `${place.href.replaceAll("+", "%20")}&${wrapsStreams ? "sslmode=require" : checked}`;
  for (let round = 0; round < 5; round++) {
    const opening = Array.from(
      { length: 20 },
      () => openStore(address, { missing: "create", durable: true }),
    );
    for (const store of await Promise.all(opening)) await store[Symbol.asyncDispose]();
  }
}, { ignore: certificate === undefined });
