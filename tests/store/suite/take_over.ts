/** Jobs whose worker is gone: who gets them, and what the worker still has to say. */

import assert from "node:assert/strict";
import {
  type Case,
  claim,
  claimOne,
  end,
  failure,
  finished,
  ids,
  jobById,
  join,
  lease,
  newJob,
  newJobs,
  success,
} from "./harness.ts";

export function takeOverCases(test: Case): void {
  test("takeOver hands over the jobs of gone processes, under a new claim number", async ({ store, clock }) => {
    const [old, other, heir] = [await join(store), await join(store), await join(store)];
    await store.enqueue(newJobs("a", "b", "c"));
    const runs = await claim(store, old, 2);
    await claimOne(store, other);
    const before = await store.list({ limit: 10 });
    clock.advance(1000);
    const taken = await store.takeOver(heir, [old], []);
    assert.deepEqual(
      taken.toSorted((a, b) => a.seq - b.seq),
      runs.map((run) => ({ ...run, claim: run.claim + 1, elapsed: 1000 })),
    );
    assert.deepEqual(
      (await store.list({ limit: 10 })).map(({ id, state, attempts }) => ({ id, state, attempts })),
      before.map(({ id, state, attempts }) => ({ id, state, attempts })),
    );
    const processes = await store.processes();
    assert.deepEqual(processes.map(({ id, running }) => [id, running]), [[other, ["c"]], [heir, ["a", "b"]]]);
    assert.deepEqual(await store.takeOver(heir, [old], []), []);
  });

  test("takeOver of nobody takes nothing", async ({ store }) => {
    const [worker, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    await claimOne(store, worker);
    assert.deepEqual(await store.takeOver(heir, [], []), []);
    assert.deepEqual(await store.takeOver(heir, [999_999], []), []);
    assert.equal((await store.processes()).length, 2);
  });

  test("takeOver takes silent processes for gone once their lease is over, and not a millisecond before", async ({ store, clock }) => {
    const old = await join(store);
    await store.enqueue(newJobs("a"));
    await claimOne(store, old);
    clock.advance(lease);
    const heir = await join(store);
    assert.equal((await store.processes())[0].expired, false);
    assert.deepEqual(await store.takeOver(heir, [], [old]), []);
    clock.advance(1);
    assert.equal((await store.processes())[0].expired, true);
    assert.deepEqual(await store.takeOver(heir, [], []), [], "nobody was said to be silent");
    assert.deepEqual(ids(await store.takeOver(heir, [], [old])), ["a"]);
    assert.deepEqual((await store.processes()).map(({ id }) => id), [heir]);
  });

  test("takeOver finds jobs of workers that left while they ran them", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    await claimOne(store, old);
    await store.leave(old);
    assert.deepEqual(ids(await store.takeOver(heir, [], [])), ["a"]);
  });

  test("takeOver leaves waiting, pending and ended jobs alone", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue([newJob("done"), newJob("waits"), newJob("dead", { maxRetries: 0 }), newJob("new")]);
    const [done, waits, dead] = await claim(store, old, 3);
    await store.exchange(
      old,
      [finished(done, success), finished(waits, failure), finished(dead, failure)],
      0,
    );
    const before = await store.list({ limit: 10 });
    assert.deepEqual(await store.takeOver(heir, [old], []), []);
    assert.deepEqual(await store.list({ limit: 10 }), before);
  });

  test("after a takeOver the old result is stale and the new one counts", async ({ store, clock }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, old);
    clock.advance(500);
    const [taken] = await store.takeOver(heir, [old], []);
    assert.deepEqual((await store.exchange(old, [finished(run, failure)], 0)).stale, [run.seq]);
    assert.equal((await jobById(store, "a")).state, "processing");
    assert.equal(await store.isRunning(taken.seq, taken.run), true);
    await end(store, heir, taken, success);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.attempts], ["completed", 1]);
    const attempts = await store.attempts("a");
    assert.deepEqual(attempts.map(({ run, number, outcome }) => [run, number, outcome]), [[1, 1, "exited"]]);
    assert.equal(attempts[0].startedAt, run.startedAt);
    assert.deepEqual((await store.exchange(old, [finished(run, failure)], 0)).stale, [run.seq]);
  });

  test("a result that comes before the takeOver counts, and nothing is taken", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    await end(store, old, await claimOne(store, old), success);
    assert.deepEqual(await store.takeOver(heir, [old], []), []);
    assert.equal((await jobById(store, "a")).state, "completed");
  });

  test("a job can be taken over again and again; only the last owner's result counts", async ({ store }) => {
    const owners = [await join(store)];
    await store.enqueue(newJobs("a"));
    const runs = [await claimOne(store, owners[0])];
    for (let round = 0; round < 3; round++) {
      const heir = await join(store);
      runs.push(...await store.takeOver(heir, [owners.at(-1)!], []));
      owners.push(heir);
    }
    assert.deepEqual(
      runs.map((run) => [run.claim, run.run, run.attempt]),
      [1, 2, 3, 4].map((n) => [n, 1, 1]),
    );
    const last = runs.pop()!;
    for (const run of runs) {
      assert.deepEqual((await store.exchange(owners[0], [finished(run, success)], 0)).stale, [run.seq]);
    }
    await end(store, owners.at(-1)!, last, success);
  });

  test("several that take over at once get every job once", async ({ store, connect }) => {
    const gone = await join(store);
    await store.enqueue(newJobs("a", "b", "c", "d", "e", "f"));
    await claim(store, gone, 6);
    const connections = await Promise.all([connect(), connect(), connect(), connect()]);
    const taken = await Promise.all(connections.map(async (connection) => {
      const heir = await join(connection);
      return ids(await connection.takeOver(heir, [gone], []));
    }));
    assert.deepEqual(taken.flat().sort(), ["a", "b", "c", "d", "e", "f"]);
  });

  test("who takes over keeps its own lease and jobs, even when it is late itself", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await claimOne(store, worker);
    clock.advance(2 * lease);
    assert.deepEqual(await store.takeOver(worker, [], []), []);
    assert.equal(await store.heartbeat(worker, lease), true);
  });
}
