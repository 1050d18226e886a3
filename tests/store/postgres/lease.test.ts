/** Leases are renewed whatever else the store is doing, and whatever has become of its connections. */

import { quoteIdentifier } from "../../../src/store/postgres/connection/database.ts";
import { migrations } from "../../../src/store/postgres/schema.ts";
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

postgresTest(
  "a schema of the first version is brought up to date with its jobs",
  async ({ open, connect, url, query }) => {
    await (await open(url))[Symbol.asyncDispose]();
    const database = await connect(url);
    await database.transaction(async (run) => {
      const schema = quoteIdentifier(database.options.schema);
      await run(`DROP SCHEMA ${schema} CASCADE`);
      await run(`CREATE SCHEMA ${schema}`);
      await run(migrations[0]);
      await run("INSERT INTO queuectl.queue (version, identity) VALUES (1, gen_random_uuid())");
      await run(
        `INSERT INTO queuectl.jobs (id, command, state, available, attempts, max_retries, priority, created_at,
        updated_at) VALUES ('a', 'true', 'pending', true, 0, 3, 0, 0, 0)`,
      );
    });
    const store = await open(url);
    assert.deepEqual((await store.list({ limit: 10 })).map(({ id }) => id), ["a"]);
    assert.deepEqual(await query("SELECT version FROM queuectl.queue"), [{ version: migrations.length }]);
    assert.deepEqual(await store.check(), []);
  },
);
