/** The store suite on SQLite, and how this engine does it. */

import assert from "node:assert/strict";
import { connect } from "../../src/store/sqlite/database.ts";
import { enqueue } from "../../src/store/sqlite/enqueue.ts";
import { exchange } from "../../src/store/sqlite/claim_and_record.ts";
import { availability, isWorkLeft } from "../../src/store/sqlite/availability.ts";
import { engineOn } from "../../src/store/sqlite/engine.ts";
import { operationsOn } from "../../src/store/operations/operations.ts";
import { takeOver } from "../../src/store/sqlite/processes.ts";
import type { ListFilter } from "../../src/store/job_filter.ts";
import { openStore } from "../../src/store/open.ts";
import { executeOnFile, sqliteDatabase } from "../helpers/sqlite_database.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { storeSuite } from "./store_suite.ts";
import { claim, failure, finished, join, newJob, newJobs } from "./suite/harness.ts";

storeSuite("sqlite", sqliteDatabase);

Deno.test("sqlite: what workers ask, and lists of what is not most of a queue, read no more than they need", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  await using store = await openStore(file, { missing: "create", durable: false });
  const others = Array.from({ length: 50 }, (_, number) => `other-${number}`);
  await store.enqueue(newJobs(...others));
  await store.cancel(others);
  await store.enqueue([newJob("a"), newJob("b", { priority: 1 })]);
  const worker = await join(store);
  const statements = new Set<string>();
  using stack = new DisposableStack();
  const database = stack.adopt(connect(file, false, Date.now), (database) => database.close());
  const recording = {
    ...database,
    prepare(sql: string) {
      statements.add(sql);
      return database.prepare(sql);
    },
  };
  const operations = operationsOn(engineOn(recording));
  const { claims: [claimed] } = await exchange(recording, worker, "worker", [], 1);
  assert.equal(claimed.id, "b");
  await exchange(recording, worker, "worker", [finished(claimed, failure)], 1);
  await availability(recording, null);
  await availability(recording, ["default"]);
  await isWorkLeft(recording, ["default"]);
  assert.deepEqual((await operations.processes())[0].running, ["a"]);
  assert.deepEqual(await takeOver(recording, worker, [], []), []);
  for (const state of ["processing", "failed", "dead", "cancelled"] as const) {
    await operations.list({ kinds: [state], limit: 10 });
  }
  const few: Array<Omit<ListFilter, "limit">> = [
    { kinds: ["failed", "dead", "cancelled", "processing"] },
    { kinds: ["scheduled", "waiting"], search: "x" },
    { kinds: ["held", "pending"], search: "x" },
    { kinds: ["failed"], sort: { by: "updated", descending: true } },
    { createdSince: { ago: 1000 } },
  ];
  await store.cancel(["a"]);
  for (const filter of few) {
    await operations.list({ ...filter, limit: 10 });
    await operations.keys({ ...filter, limit: Infinity });
  }
  await operations.cancel({ kinds: ["scheduled"], search: "x" });
  await operations.hold({ kinds: ["waiting"], search: "x" });
  await operations.release({ kinds: ["held"] });
  await operations.countOpen();
  await operations.retry({ kinds: ["dead", "failed"], search: "x" });
  await operations.dlqRetry({ search: "x" });
  await operations.dlqPurge({ unchangedSince: { ago: 1000 } });
  await operations.attempts("b");
  await operations.lastOutput("b");
  const [{ seq }] = await operations.find(["b"]);
  await operations.progress([seq]);
  await operations.upcoming(10);
  await operations.ranAfter(seq);
  await operations.detail("a");
  await store.enqueue([newJob("c")]);
  await operations.detail("c");
  await operations.runAfter(seq, 0);
  const tagged = (id: string, queue: string, ...tags: string[]) => newJob(id, { queue, tags });
  await store.enqueue([
    tagged("d", "few", "few", "many"),
    tagged("e", "many", "many"),
    tagged("f", "many", "many"),
  ]);
  const ofQueuesAndTags: Array<Omit<ListFilter, "limit">> = [
    { tags: ["few"] },
    { tags: ["few", "many"], kinds: ["pending"], after: { value: 9, seq: 9 }, createdSince: { ago: 1000 } },
    { tags: ["many"], kinds: ["dead"] },
    { queues: ["few"] },
    { queues: ["few", "many"], createdSince: { ago: 1000 }, tags: ["many"] },
    { tags: ["few"], sort: { by: "id", descending: false } },
    { queues: ["many"], tags: ["few"], sort: { by: "updated", descending: true } },
  ];
  for (const filter of ofQueuesAndTags) {
    await operations.list({ ...filter, limit: 10 });
    await operations.keys({ ...filter, limit: Infinity });
  }
  await operations.cancel({ queues: ["few"], tags: ["many"] });
  await enqueue(recording, [newJob("g", { uniqueKey: "k" })]);
  await enqueue(recording, [newJob("h", { uniqueKey: "k", onDuplicate: "replace" })]);
  const plans = [...statements].filter((sql) => /\b(jobs|attempts|tags)\b/.test(sql)).map((sql) =>
    [sql, database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map((row) => String(row.detail))] as const
  );
  assert.ok(plans.some(([, plan]) => plan.some((step) => step.includes("INDEX jobs_active"))));
  for (const [sql, plan] of plans) {
    // Keys come as a list, or are read once more, or all of an index of few is meant; everything else is looked up.
    assert.deepEqual(
      plan.filter((step) =>
        /^SCAN (?!json_each |\(|halves|(listed|chosen|before)$|CONSTANT|jobs USING (COVERING )?INDEX jobs_(blocked|held)$)/
          .test(step)
      ),
      [],
      sql,
    );
    // By age: a list that is read on such a way ends when it is full.
    if (/tagged|queue IN \(\?\d+\)/.test(sql) && !/ORDER BY \+/.test(sql)) {
      assert.ok(!plan.some((step) => step.includes("TEMP B-TREE")), sql);
    }
    // A claim takes them in the order of the index; a list of few is sorted.
    if (sql.includes("priority DESC")) assert.ok(!plan.some((step) => step.includes("TEMP B-TREE")), sql);
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

Deno.test("sqlite: a job whose run cannot be named is set aside, and the next one is claimed at once", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  await using store = await openStore(file, { missing: "create", durable: false });
  await store.enqueue([newJob("damaged", { priority: 1 }), newJob("sound")]);
  executeOnFile(file, "UPDATE jobs SET claim = 9223372036854775807 WHERE id = 'damaged'");
  const worker = await join(store);
  assert.deepEqual((await claim(store, worker, 1)).map(({ id }) => id), ["sound"]);
  assert.equal((await store.counts()).dead, 1);
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
