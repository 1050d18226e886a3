/** What the limits of time do that every transaction sets: what is cut short by one is tried again, and nothing twice. */

import assert from "node:assert/strict";
import { connectionOptions } from "../../../src/store/postgres/connection/options.ts";
import { connect, type Database, standardLimits } from "../../../src/store/postgres/connection/database.ts";
import { readProcessEnvironment } from "../../../src/store/postgres/connection/process_environment.ts";
import { onServer } from "../../helpers/postgres_database.ts";
import { postgresTest, type Subject } from "../../helpers/postgres_test.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import { ids, newJobs } from "../suite/harness.ts";

/** A database with short limits of its own, whose sessions are known by `name`. */
async function withLimits(
  { url, open }: Subject,
  limits: Partial<typeof standardLimits.quick>,
  body: (database: Database, name: string) => Promise<void>,
): Promise<void> {
  await (await open(url)).enqueue(newJobs("a", "b"));
  const name = crypto.randomUUID();
  const options = connectionOptions(`${url}&application_name=${name}`, readProcessEnvironment());
  const database = await connect(options, undefined, {
    ...standardLimits,
    quick: { ...standardLimits.quick, ...limits },
  });
  try {
    await body(database, name);
  } finally {
    await database.close();
  }
}

/** The beginnings of the transactions that wait for a lock in sessions of that name. */
const waits = async ({ query }: Subject, name: string) =>
  (await query(`SELECT xact_start::text AS since FROM pg_stat_activity
    WHERE application_name = '${name}' AND wait_event_type = 'Lock'`)).map(({ since }) => String(since));

for (const limit of ["lock", "statement"] as const) {
  postgresTest(
    `a transaction that the ${limit} timeout ends is tried again until it can be done`,
    async (subject) => {
      await withLimits(subject, { [limit]: 100 }, async (database, name) => {
        const table = `"${subject.schema}".jobs`;
        let changed: Promise<unknown> | undefined;
        await onServer((sql) =>
          sql.begin(async (other) => {
            await other.unsafe(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
            changed = database.batch([{ text: "UPDATE queuectl.jobs SET priority = priority + 1" }]);
            const seen = new Set<string>();
            await waitFor("a second try", async () => {
              for (const since of await waits(subject, name)) seen.add(since);
              return seen.size > 1;
            });
          })
        );
        await changed;
        assert.deepEqual(await subject.query("SELECT priority FROM queuectl.jobs"), [
          { priority: 1 },
          { priority: 1 },
        ]);
      });
    },
  );
}

postgresTest(
  "a transaction that stood still for too long is done again, and counts once",
  async (subject) => {
    await withLimits(subject, { idle: 100 }, async (database, name) => {
      const tries: boolean[] = [];
      await database.transaction(async (run, again) => {
        tries.push(again);
        await run("UPDATE queuectl.jobs SET priority = priority + 1");
        if (tries.length > 1) return;
        await waitFor("the server to end the session", async () => {
          const sessions = `SELECT 1 FROM pg_stat_activity WHERE application_name = '${name}'`;
          return (await subject.query(sessions)).length === 0;
        });
      });
      assert.equal(tries.length, 2);
      assert.deepEqual(await subject.query("SELECT priority FROM queuectl.jobs"), [
        { priority: 1 },
        { priority: 1 },
      ]);
    });
    assert.deepEqual(ids(await (await subject.open(subject.url)).list({ limit: 9 })), ["a", "b"]);
  },
);
