import assert from "node:assert/strict";
import { connectionOptions } from "../../../src/store/postgres/connection/options.ts";
import { openSession } from "../../../src/store/postgres/connection/session.ts";
import { readProcessEnvironment } from "../../../src/store/postgres/connection/process_environment.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";

postgresTest("a session keeps none of the answers that it has given", async ({ url }) => {
  const session = await openSession(connectionOptions(url, readProcessEnvironment()));
  const megabyte = 2 ** 20;
  const ask = async () => {
    for (let count = 0; count < 300; count++) {
      const [{ rows }] = await session.send([{ text: `SELECT repeat('x', ${megabyte}) AS text` }], 60_000);
      assert.equal(String(rows[0].text).length, megabyte);
    }
  };
  // What is garbage comes to its usual amount first, and goes up and down then: what is kept would grow each time.
  await ask();
  let grown = Infinity;
  for (let round = 0; round < 5 && grown >= 200; round++) {
    const before = Deno.memoryUsage().rss;
    await ask();
    grown = (Deno.memoryUsage().rss - before) / megabyte;
  }
  await session.close();
  assert.ok(grown < 200, `${Math.round(grown)} MiB are kept of 300`);
});
