/** Leases are renewed whatever else the store is doing, and whatever has become of its connections. */

import { schemaVersion } from "../../../src/store/postgres/schema.ts";
import assert from "node:assert/strict";
import type { Store } from "../../../src/store/store.ts";
import { onServer } from "../../helpers/postgres_database.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { claim, join, lease, newJobs } from "../suite/harness.ts";

/** Waits until the store listens, on a connection of its own: then it looks for what was not told before. */
async function listening(store: Store): Promise<void> {
  const told = Promise.withResolvers<void>();
  const unwatch = store.watch(told.resolve)!;
  store.changed();
  await told.promise;
  unwatch();
}

postgresTest(
  "a lease is renewed while another statement waits",
  async ({ open, proxied, url, schema }) => {
    const store = await open(proxied);
    await listening(store);
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    let counting: Promise<unknown> | undefined;
    let isCounted = false;
    await onServer(async (sql) => {
      await sql.begin(async (transaction) => {
        await transaction.unsafe(`LOCK TABLE "${schema}".jobs IN ACCESS EXCLUSIVE MODE`);
        counting = store.list({ limit: 1 }).then(() => isCounted = true);
        assert.equal(await store.heartbeat(worker, lease), true);
        assert.equal(isCounted, false);
      });
    }, url);
    await counting;
  },
);

postgresTest(
  "a lease is renewed where the connections that there are have gone dead",
  async ({ open, proxied, proxy }) => {
    const store = await open(proxied);
    await listening(store);
    const worker = await join(store);
    const before = proxy.count;
    proxy.freeze();
    let isAnswered = false;
    // Nothing of the store's work comes through for now.
    const working = store.exchange(worker, [], 1).then(() => isAnswered = true);
    assert.equal(await store.heartbeat(worker, 3000), true);
    assert.equal(isAnswered, false);
    assert.ok(proxy.count > before);
    // And is repeated when the connection is known to be lost.
    proxy.cut();
    await working;
  },
);

postgresTest("a store that does not listen renews a lease too", async ({ open, url }) => {
  const store = await open(url);
  const worker = await join(store);
  assert.equal(await store.heartbeat(worker, lease), true);
  assert.equal(await store.heartbeat(worker + 1, lease), false);
  assert.deepEqual(await claim(store, worker), []);
});

postgresTest("a schema from before the first release is refused", async ({ open, connect, url }) => {
  await (await open(url))[Symbol.asyncDispose]();
  const database = await connect(url);
  await database.transaction((run) => run("UPDATE queuectl.queue SET version = 1"));
  await assert.rejects(open(url), {
    code: "database",
    message: new RegExp(
      `has schema 1, from before the first release; this queuectl knows ${schemaVersion}; `,
    ),
  });
});
