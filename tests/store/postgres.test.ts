/** The store suite on PostgreSQL, and how this engine does it. */

import assert from "node:assert/strict";
import { enqueue } from "../../src/store/postgres/enqueue.ts";
import { claimStatements } from "../../src/store/postgres/claim_and_record.ts";
import { lockQueuesStatement } from "../../src/store/postgres/limits.ts";
import { availability } from "../../src/store/postgres/availability.ts";
import type { Database, Statement } from "../../src/store/postgres/connection/database.ts";
import { postgresDatabase, postgresServer } from "../helpers/postgres_database.ts";
import { postgresTest } from "../helpers/postgres_test.ts";
import { storeSuite } from "./store_suite.ts";
import { claimOne, finished, jobById, join, newJob, printed, success } from "./suite/harness.ts";

storeSuite("postgres", postgresDatabase, postgresServer === undefined);

/** The steps of a plan, as the server makes it once for any parameters. */
async function planOf(database: Database, { text, parameters = [] }: Statement): Promise<string[]> {
  const nulls = parameters.map(() => "NULL").join(", ");
  const rows = await database.transaction(async (run) => {
    await run("SET LOCAL plan_cache_mode = force_generic_plan");
    // As part of the text: the driver would prepare it once more.
    await run(`PREPARE statement AS ${text}`);
    const plan = await run(`EXPLAIN (COSTS OFF) EXECUTE statement${nulls && `(${nulls})`}`);
    await run("DEALLOCATE statement");
    return plan;
  });
  return rows.map((row) => String(row["QUERY PLAN"]).trim());
}

postgresTest(
  "a job with a unique key is compared with those of its key, and with no others",
  async (test) => {
    const database = await test.connect(test.url);
    const plans: string[] = [];
    const explaining: Database = {
      ...database,
      transaction: (body, effort) =>
        database.transaction((run, again) =>
          body(async (text, parameters) => {
            if (text.includes("AS holder")) {
              const plan = await run(`EXPLAIN (COSTS OFF) ${text}`, parameters);
              plans.push(plan.map((row) => String(row["QUERY PLAN"])).join("\n"));
            }
            return await run(text, parameters);
          }, again), effort),
    };
    await enqueue(database, Array.from({ length: 3000 }, (_, number) => newJob(`job-${number}`)));
    await enqueue(explaining, [newJob("a", { uniqueKey: "key" })]);
    assert.equal(plans.length, 1);
    assert.match(plans[0], /Index Scan using jobs_unique/);
  },
);

for (const statistics of ["of an empty table", "from before there was anything to claim"]) {
  postgresTest(`a claim reads indexes in their order, by statistics ${statistics}`, async (test) => {
    const database = await test.connect(test.url);
    const states: Array<[state: string, available: boolean, due: string]> = [
      ["failed", false, "4102444800000 + number"],
      ["dead", false, "NULL"],
      ["pending", true, "NULL"],
    ];
    for (const [state, available, due] of states) {
      if (available && statistics !== "of an empty table") await test.query("ANALYZE queuectl.jobs");
      await database.transaction((run) =>
        run(
          `INSERT INTO queuectl.jobs (id, command, state, available, attempts, max_retries, priority, created_at,
          updated_at, next_attempt_at)
        SELECT '${state}-' || number, 'true', '${state}', ${available}, 0, 3, number % 5, 0, 0, ${due}
        FROM generate_series(1, 100000) AS number`,
        ), { pace: "slow" });
    }
    const check = async () => {
      const [promote, claim] = claimStatements(database, 1, 1, crypto.randomUUID());
      let look: Statement | undefined;
      const recording: Database = {
        ...database,
        batch(statements) {
          look = statements[0];
          return Promise.resolve([[{ ready: null, due: null, next_start: null, now: 0 }]]);
        },
      };
      await availability(recording, null);
      const plans = await Promise.all(
        [promote, claim, look!].map((statement) => planOf(database, statement)),
      );
      const locking = await planOf(database, lockQueuesStatement(database, 1, [{ seq: 1 }]));
      for (const plan of locking) assert.ok(!/Seq Scan on jobs|Bitmap/.test(plan), locking.join("\n"));
      const [promotion, claiming, looking] = plans.map((steps) => steps.join("\n"));
      assert.match(promotion, /Index Scan using jobs_waiting/);
      assert.match(claiming, /Index Scan using jobs_available/);
      assert.match(
        looking,
        /using jobs_available[^]*using jobs_waiting|using jobs_waiting[^]*using jobs_available/,
      );
      for (const plan of plans.flat()) {
        assert.ok(!/Seq Scan on jobs|Bitmap/.test(plan), plans.flat().join("\n"));
      }
      // What is sorted is what was claimed, and no more.
      assert.ok(!/Sort/.test(promotion + looking), promotion + looking);
      assert.match(claiming, /^Sort\n.*\n.*(?:CTE Scan on claimed|)/);
      // Of every queue no more are read than are wanted; the first of them all are found by sorting those.
      assert.equal(claiming.match(/Sort$/gm)?.length, 2, claiming);
    };
    // Right after a burst, with right statistics, and after the server has tidied up.
    await check();
    for (
      const statement of ["ANALYZE queuectl.jobs", "VACUUM queuectl.jobs", "VACUUM ANALYZE queuectl.jobs"]
    ) {
      await test.query(statement);
      await check();
    }
  });
}

postgresTest(
  "what commands print is kept although PostgreSQL has no NUL character",
  async ({ open, url }) => {
    const store = await open(url);
    const worker = await join(store);
    await store.enqueue([newJob("a"), newJob("b", { maxRetries: 0 })]);
    const output = "before\0after \ud800 é\u{1F600}";
    const run = await claimOne(store, worker);
    await store.exchange(worker, [finished(run, success, { output, errorOutput: output })], 0);
    const kept = "before␀after \ufffd é\u{1F600}";
    assert.deepEqual(await printed(store, "a"), { output: kept, errorOutput: kept });
    const second = await claimOne(store, worker);
    const next = { state: "dead", error: output } as const;
    await store.exchange(worker, [finished(second, { kind: "exited", code: 1 }, { next })], 0);
    assert.equal((await jobById(store, "b")).lastError, kept);
    await assert.rejects(store.attempts("a\0"), /No job found/);
  },
);

postgresTest(
  "a job that was begun on another host is known as that when it is taken over",
  async ({ open, url }) => {
    const store = await open(url);
    const identity = (host: string) => ({ host, boot: "boot", pid: 1, start: "start" });
    const [here, near, far] = [
      await join(store, { identity: identity("here") }),
      await join(store, { identity: identity("here") }),
      await join(store, { identity: identity("far") }),
    ];
    await store.enqueue([newJob("near"), newJob("far")]);
    assert.equal((await claimOne(store, near)).elsewhere, false);
    await claimOne(store, far);
    const taken = await store.takeOver(here, [near, far], []);
    assert.deepEqual(taken.map(({ id, elsewhere }) => [id, elsewhere]), [["near", false], ["far", true]]);
    // Also by the next one, whichever host that is on: only where it was begun can be seen what became of it.
    const back = await join(store, { identity: identity("far") });
    const again = await store.takeOver(back, [here], []);
    assert.deepEqual(again.map(({ id, elsewhere }) => [id, elsewhere]), [["near", true], ["far", false]]);
  },
);

postgresTest("the time is that of the server", async ({ open, url, query }) => {
  const store = await open(url);
  const now = async () => {
    const [{ now }] = await query(
      "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now",
    );
    return Number(now);
  };
  const before = await now();
  await store.enqueue([newJob("a")]);
  const { createdAt } = await jobById(store, "a");
  assert.ok(before <= createdAt && createdAt <= await now());
});
