/** A part of the keys is signed only when nobody can add a job to it any more. */

import assert from "node:assert/strict";
import type { Database } from "../../../src/store/postgres/database.ts";
import { createExtender } from "../../../src/store/postgres/index_extender.ts";
import type { Store } from "../../../src/store/store.ts";
import { onServer } from "../../helpers/postgres_database.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { newJob } from "../suite/harness.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import { indexAll } from "../suite/search.ts";

async function add(store: Store, from: number, count: number): Promise<void> {
  using intake = await store.intake();
  intake.add(Array.from({ length: count }, (_, index) => newJob(`job-${from + index}`)));
  await intake.commit();
}

/** Adds jobs with `needle` in their commands, past the store. */
const needles = (schema: string, count: number) =>
  `INSERT INTO "${schema}".jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at)
   SELECT 'late-' || n, 'echo needle', 'pending', true, 0, 3, 0, 0, 0 FROM generate_series(1, ${count}) AS n`;

const foundNeedles = async (store: Store) => (await store.list({ search: "needle", limit: 5000 })).length;

postgresTest(
  "a part is signed when all who have got keys of it are done",
  async ({ open, url, schema, query }) => {
    const store = await open(url);
    const signed = async () => Number((await query("SELECT count(*) AS n FROM queuectl.part_ages"))[0].n);
    await add(store, 0, 500);
    await onServer(async (sql) => {
      await sql.begin(async (transaction) => {
        // A key of the first part, which nobody else can see yet.
        await transaction.unsafe(needles(schema, 1));
        await add(store, 500, 3000);
        assert.equal(await indexAll(store), 0);
        assert.equal(await signed(), 0);
        // What others do meanwhile is not waited for.
        await store.enqueue([newJob("other")]);
        assert.equal(await indexAll(store), 0);
      });
    }, url);
    assert.equal(await indexAll(store), 3);
    assert.equal(await signed(), 3);
    assert.equal(await foundNeedles(store), 1);
    assert.deepEqual(await store.check(), []);
  },
);

postgresTest(
  "jobs that are seen while it is found out which part is next are not left out",
  async ({ open, connect, url, schema }) => {
    const store = await open(url);
    const [begun, seen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const adding = onServer((sql) =>
      sql.begin(async (transaction) => {
        // All that is in the first part.
        await transaction.unsafe(needles(schema, 1100));
        begun.resolve();
        await seen.promise;
      }), url);
    await begun.promise;
    await add(store, 0, 4000);
    const database = await connect(url);
    const extend = createExtender(slowed(database, /min\(seq\) AS key/, async () => {
      seen.resolve();
      await adding;
    }));
    while (await extend());
    await indexAll(store);
    assert.equal(await foundNeedles(store), 1100);
    assert.deepEqual(await store.check(), []);
  },
);

/** A database that does something after each statement of a kind. */
const slowed = (database: Database, kind: RegExp, action: () => Promise<void>): Database => ({
  ...database,
  transaction: (body, effort) =>
    database.transaction((run, again) =>
      body(async (text, parameters) => {
        const rows = await run(text, parameters);
        if (kind.test(text)) await action();
        return rows;
      }, again), effort),
});

postgresTest(
  "a server that has lost its last transactions gives keys out once more",
  async ({ open, url, query }) => {
    const name = crypto.randomUUID();
    const store = await open(`${url}&application_name=${name}`);
    const setLast = (key: number) =>
      query(`SELECT setval(pg_get_serial_sequence('queuectl.jobs', 'seq')::regclass, ${key})`);
    await add(store, 0, 500);
    await setLast(4000);
    assert.equal(await indexAll(store), 1);
    // As another server that has taken over: with less than there was, and other sessions.
    for (const table of ["text_signatures", "id_signatures", "part_ages"]) {
      await query(
        `DELETE FROM queuectl.${table}`,
      );
    }
    await setLast(500);
    await query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`,
    );
    await store.counts();
    assert.equal(await indexAll(store), 0);
    await add(store, 500, 600);
    assert.equal(await indexAll(store), 1);
    assert.deepEqual((await store.list({ search: "job-987", limit: 5 })).map(({ id }) => id), ["job-987"]);
    assert.deepEqual(await store.check(), []);
  },
);

postgresTest(
  "a part is not signed before a command in it that is being changed",
  async ({ open, url, schema }) => {
    const [store, other] = [await open(url), await open(url)];
    using intake = await store.intake();
    intake.add(Array.from({ length: 1100 }, (_, index) => newJob(`job-${index}`)));
    await intake.commit();
    let editing: Promise<unknown> | undefined;
    await onServer(async (sql) => {
      await sql.begin(async (transaction) => {
        // The edit has changed its job, and waits for this lock to remove the tags of it.
        await transaction.unsafe(`LOCK TABLE "${schema}".tags IN ACCESS EXCLUSIVE MODE`);
        editing = other.edit(["job-7"], { command: "echo needle", tags: ["new"] });
        const waits = async () =>
          (await transaction.unsafe(
            "SELECT 1 FROM pg_catalog.pg_locks WHERE NOT granted AND relation = $1::regclass",
            [`"${schema}".tags`],
          )).length > 0;
        await waitFor("the edit to wait", waits);
        assert.equal(await store.extendSearchIndex(), false);
      });
    }, url);
    await editing;
    assert.equal(await indexAll(store), 1);
    assert.deepEqual((await store.list({ search: "needle", limit: 5 })).map(({ id }) => id), ["job-7"]);
  },
);
