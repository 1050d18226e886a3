/** A part of the keys is signed only when nobody can add a job to it any more. */

import assert from "node:assert/strict";
import { onServer } from "../../helpers/postgres_database.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { indexAll } from "../suite/search.ts";
import { newJob } from "../suite/harness.ts";

postgresTest(
  "a part is signed when all who have got keys of it are done",
  async ({ open, url, schema, query }) => {
    const store = await open(url);
    const add = async (from: number, count: number) => {
      using intake = await store.intake();
      intake.add(Array.from({ length: count }, (_, index) => newJob(`job-${from + index}`)));
      await intake.commit();
    };
    const signed = async () => Number((await query("SELECT count(*) AS n FROM queuectl.part_ages"))[0].n);
    await add(0, 500);
    await onServer(async (sql) => {
      await sql.begin(async (transaction) => {
        // A key of the first part, which nobody else can see yet.
        await transaction.unsafe(
          `INSERT INTO "${schema}".jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at)
         VALUES ('late', 'echo needle', 'pending', true, 0, 3, 0, 0, 0)`,
        );
        await add(500, 3000);
        assert.equal(await indexAll(store), 0);
        assert.equal(await signed(), 0);
        // What others do meanwhile is not waited for.
        await store.enqueue([newJob("other")]);
        assert.equal(await indexAll(store), 0);
      });
    }, url);
    assert.equal(await indexAll(store), 3);
    assert.equal(await signed(), 3);
    assert.deepEqual((await store.list({ search: "needle", limit: 5 })).map(({ id }) => id), ["late"]);
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
        while (!await waits());
        assert.equal(await store.extendSearchIndex(), false);
      });
    }, url);
    await editing;
    assert.equal(await indexAll(store), 1);
    assert.deepEqual((await store.list({ search: "needle", limit: 5 })).map(({ id }) => id), ["job-7"]);
  },
);
