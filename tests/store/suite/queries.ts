/** Questions about jobs, and the settings. */

import assert from "node:assert/strict";
import { jobStates } from "../../../src/job/job.ts";
import {
  addDead,
  assertCounted,
  type Case,
  claim,
  claimOne,
  end,
  failure,
  finished,
  handedBack,
  ids,
  join,
  newJob,
  newJobs,
  printed,
  success,
  told,
} from "./harness.ts";

export function queryCases(test: Case): void {
  test("list gives the newest jobs up to the limit, oldest first", async ({ store }) => {
    await store.enqueue(newJobs("a", "b", "c", "d"));
    assert.deepEqual(ids(await store.list({ limit: 3 })), ["b", "c", "d"]);
    assert.deepEqual(ids(await store.list({ limit: 4 })), ["a", "b", "c", "d"]);
    assert.deepEqual(ids(await store.list({ limit: 1000 })), ["a", "b", "c", "d"]);
    assert.deepEqual(await store.list({ limit: 0 }), []);
  });

  test("list gives the jobs of one state, limited after the choice", async ({ store }) => {
    await addDead(store, "dead-1", "dead-2");
    const worker = await join(store);
    await store.enqueue(newJobs("done", "waits", "runs", "new-1", "new-2", "new-3"));
    const [done, waits] = await claim(store, worker, 3);
    await store.exchange(worker, [finished(done, success), finished(waits, failure)], 0);
    const expected = {
      pending: ["new-1", "new-2", "new-3"],
      processing: ["runs"],
      completed: ["done"],
      failed: ["waits"],
      dead: ["dead-1", "dead-2"],
      cancelled: [],
    };
    for (const state of jobStates) {
      const jobs = await store.list({ kinds: [state], limit: 10 });
      assert.deepEqual(ids(jobs), expected[state], state);
      assert.ok(jobs.every((job) => job.state === state));
      assert.deepEqual(ids(await store.list({ kinds: [state], limit: 1 })), expected[state].slice(-1), state);
    }
  });

  test("counts agree with the list after every transition", async ({ store, clock }) => {
    const [worker, heir] = [await join(store), await join(store)];
    const steps: Array<() => Promise<unknown>> = [
      () => store.enqueue([newJob("a", { maxRetries: 0 }), newJob("b"), newJob("c")]),
      () => store.enqueue([newJob("d"), newJob("a")]).catch(told("conflict")),
      async () => await end(store, worker, await claimOne(store, worker), failure),
      async () => await end(store, worker, await claimOne(store, worker), failure),
      async () => await end(store, worker, await claimOne(store, worker), handedBack),
      () => claimOne(store, worker),
      () => store.takeOver(heir, [worker], []),
      () => store.dlqRetry(["a"]),
      async () => await end(store, heir, await claimOne(store, heir), failure),
      () => store.dlqPurge(["a"]),
      async () => {
        clock.advance(2000);
        await end(store, heir, await claimOne(store, heir), success);
      },
    ];
    for (const step of steps) {
      await step();
      await assertCounted(store);
    }
    assert.deepEqual(
      await store.counts(),
      { pending: 0, processing: 1, completed: 1, failed: 0, dead: 0, cancelled: 0 },
    );
  });

  test("attempts takes a unique prefix, and tells unknown and ambiguous ones", async ({ store }) => {
    await addDead(store, "apple", "apples", "banana");
    assert.equal((await store.attempts("b")).length, 1);
    assert.equal((await store.attempts("apple")).length, 1);
    await assert.rejects(store.attempts("app"), told("usage", `"app"`, "apple", "apples"));
    await assert.rejects(store.attempts("c"), told("not_found", "c"));
    await assert.rejects(store.attempts(""), told("not_found"));
    assert.equal(await store.lastOutput("c"), null);
  });

  test("a prefix is found among ids of any characters", async ({ store }) => {
    const names = ["a\uFFFFz", "a😀z", "é-1", "é-2", "中", "zz"];
    await addDead(store, ...names);
    for (const name of names) assert.equal((await store.attempts(name)).length, 1, name);
    assert.equal((await store.attempts("a😀")).length, 1);
    assert.equal((await store.attempts("z")).length, 1);
    await assert.rejects(store.attempts("a"), told("usage"));
    await assert.rejects(store.attempts("é"), told("usage"));
  });

  test("lastOutput is that of the last run", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0 })]);
    for (const text of ["first", "second", ""]) {
      const run = await claimOne(store, worker);
      await store.exchange(worker, [
        finished(run, failure, { output: text, errorOutput: text && `${text}!` }),
      ], 0);
      assert.deepEqual(await printed(store, "a"), { output: text, errorOutput: text && `${text}!` });
    }
  });

  test("settings are set, replaced and unset", async ({ store, connect }) => {
    assert.deepEqual(await store.settings(), []);
    await store.setSetting("max-retries", "5");
    await store.setSetting("grace", "10s");
    await store.setSetting("max-retries", "7");
    const other = await connect();
    const sorted = async () => (await other.settings()).sort();
    assert.deepEqual(await sorted(), [["grace", "10s"], ["max-retries", "7"]]);
    assert.equal(await store.unsetSetting("grace"), true);
    assert.equal(await store.unsetSetting("grace"), false);
    assert.equal(await store.unsetSetting("unknown"), false);
    assert.deepEqual(await sorted(), [["max-retries", "7"]]);
  });

  test("everything is still there for a connection that comes later", async ({ store, connect }) => {
    await addDead(store, "dead");
    await store.enqueue(newJobs("a", "b"));
    await store.setSetting("grace", "1s");
    const later = await connect();
    assert.deepEqual(await later.list({ limit: 10 }), await store.list({ limit: 10 }));
    assert.deepEqual(await later.counts(), await store.counts());
    assert.deepEqual(await later.attempts("dead"), await store.attempts("dead"));
    assert.deepEqual(await later.settings(), [["grace", "1s"]]);
    assert.equal(later.location, store.location);
    assert.equal(later.spool, store.spool);
  });
}
