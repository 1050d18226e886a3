/** The store suite on SQLite, and how this engine does it. */

import assert from "node:assert/strict";
import { connect } from "../../src/store/sqlite/database.ts";
import { exchange } from "../../src/store/sqlite/exchange.ts";
import { openStore } from "../../src/store/open.ts";
import { sqliteDatabase } from "../helpers/sqlite_database.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { storeSuite } from "./store_suite.ts";
import { ids, join, newJob, newJobs } from "./suite/harness.ts";

storeSuite("sqlite", sqliteDatabase);

Deno.test("sqlite: a claim reads an index in its order and sorts nothing", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  await using store = await openStore(file, { missing: "create", durable: false });
  await store.enqueue([newJob("a"), newJob("b", { priority: 1 })]);
  const worker = await join(store);
  const statements: string[] = [];
  using connection = new DisposableStack();
  const database = connection.adopt(connect(file, false, Date.now), (database) => database.close());
  const recording = {
    ...database,
    prepare(sql: string) {
      statements.push(sql);
      return database.prepare(sql);
    },
  };
  const { claims } = await exchange(recording, worker, "worker", [], 1);
  assert.deepEqual(ids(claims), ["b"]);
  const plans = statements.filter((sql) => /\bjobs\b/.test(sql)).map((sql) =>
    database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map((row) => String(row.detail))
  );
  assert.ok(
    plans.some((plan) => plan.some((step) => step.includes("INDEX jobs_active"))),
    JSON.stringify(plans),
  );
  for (const step of plans.flat()) {
    assert.ok(!step.includes("TEMP B-TREE"), step);
    // The keys of the claims come as a list; everything else is looked up.
    assert.ok(!/^SCAN (?!json_each )/.test(step), step);
  }
});

Deno.test("sqlite: changed tells of every commit of another connection, at once and once", async () => {
  await using database = await sqliteDatabase(Date.now);
  const [store, other] = [await database.connect(), await database.connect()];
  store.changed();
  assert.equal(store.changed(), false);
  await other.enqueue(newJobs("a"));
  assert.equal(store.changed(), true);
  assert.equal(store.changed(), false);
  await other.list({ limit: 10 });
  assert.equal(store.changed(), false);
  await join(other);
  assert.equal(store.changed(), true);
});

Deno.test({
  name: "sqlite: who watches the database is told of what another connection commits",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queue.db`;
    await using store = await openStore(file, { missing: "create", durable: false });
    await using other = await openStore(file, { missing: "create", durable: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = store.watch(resolve);
    assert.ok(end);
    await other.enqueue([newJob("a")]);
    await promise;
    end();
    assert.ok(store.changed());
  },
});
