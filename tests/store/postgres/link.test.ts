import assert from "node:assert/strict";
import { connectionOptions } from "../../../src/store/postgres/connection/options.ts";
import { openLink } from "../../../src/store/postgres/connection/session.ts";
import { ownSurroundings } from "../../../src/store/postgres/connection/surroundings.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";

postgresTest("a session keeps none of the answers that it has given", async ({ url }) => {
  const link = await openLink(connectionOptions(url, ownSurroundings()));
  const megabyte = 2 ** 20;
  const ask = async () => {
    for (let count = 0; count < 300; count++) {
      const [{ rows }] = await link.send([{ text: `SELECT repeat('x', ${megabyte}) AS text` }], 60_000);
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
  await link.close();
  assert.ok(grown < 200, `${Math.round(grown)} MiB are kept of 300`);
});
