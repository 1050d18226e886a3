/** Claiming jobs: which, in what order, by whom. */

import assert from "node:assert/strict";
import { waitFor } from "../../helpers/wait_for.ts";
import {
  addDead,
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
  success,
} from "./harness.ts";

export function claimCases(test: Case): void {
  test("a claim takes the oldest jobs, as many as wanted", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b", "c", "d", "e"));
    assert.deepEqual(ids(await claim(store, worker, 2)), ["a", "b"]);
    assert.deepEqual(ids(await claim(store, worker, 0)), []);
    assert.deepEqual(ids(await claim(store, worker, 100)), ["c", "d", "e"]);
    assert.deepEqual(ids(await claim(store, worker, 1)), []);
  });

  test("a claim takes the highest priority first, then the oldest", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([
      newJob("low", { priority: -1 }),
      newJob("first", { priority: 0 }),
      newJob("high", { priority: 5 }),
      newJob("second", { priority: 0 }),
    ]);
    await store.enqueue([newJob("high too", { priority: 5 }), newJob("highest", { priority: 6 })]);
    const order = ["highest", "high", "high too", "first", "second", "low"];
    assert.deepEqual(ids(await claim(store, worker, 3)), order.slice(0, 3));
    for (const expected of order.slice(3)) assert.equal((await claimOne(store, worker)).id, expected);
  });

  test("a failed job that is due competes by its age, not by its time", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("old", "middle"));
    await end(store, worker, await claimOne(store, worker), failure);
    await store.enqueue(newJobs("new"));
    assert.deepEqual(ids(await claim(store, worker, 1)), ["middle"]);
    clock.advance(2000);
    assert.deepEqual(ids(await claim(store, worker, 2)), ["old", "new"]);
  });

  test("a failed job is claimed when it is due and not a millisecond before", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await end(store, worker, await claimOne(store, worker), failure);
    clock.advance(1999);
    assert.deepEqual(await claim(store, worker), []);
    clock.advance(1);
    const second = await claimOne(store, worker);
    assert.deepEqual([second.id, second.attempt, second.run], ["a", 2, 2]);
  });

  test("more jobs can become due than are wanted", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b", "c"));
    for (const run of await claim(store, worker, 3)) await end(store, worker, run, failure);
    clock.advance(2000);
    assert.deepEqual(ids(await claim(store, worker, 1)), ["a"]);
    assert.equal((await store.availability()).ready, true);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["b", "c"]);
  });

  test("a retry without a delay can be claimed in the exchange that records it", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0 })]);
    const first = await claimOne(store, worker);
    const { claims, stale } = await store.exchange(worker, [finished(first, failure)], 1);
    assert.deepEqual(stale, []);
    assert.deepEqual(claims.map(({ id, attempt, run }) => [id, attempt, run]), [["a", 2, 2]]);
  });

  test("a claim says when it began, raises the attempt, and shows in the list", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    clock.advance(5000);
    const run = await claimOne(store, worker);
    assert.deepEqual([run.startedAt, run.elapsed], [clock.now(), 0]);
    const [job] = await store.list({ limit: 1 });
    assert.deepEqual(
      [job.state, job.attempts, job.updatedAt, job.createdAt],
      ["processing", 1, clock.now(), clock.now() - 5000],
    );
    assert.deepEqual((await store.processes())[0].running, ["a"]);
  });

  test("jobs that wait, run, are done or are dead are not claimed", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("done"), newJob("waits"), newJob("dead", { maxRetries: 0 }), newJob("runs")]);
    const [done, waits, dead] = await claim(store, worker, 4);
    await store.exchange(
      worker,
      [finished(done, success), finished(waits, failure), finished(dead, failure)],
      0,
    );
    assert.deepEqual(await claim(store, worker, 10), []);
    assert.deepEqual(await store.counts(), {
      pending: 0,
      processing: 1,
      completed: 1,
      failed: 1,
      dead: 1,
      cancelled: 0,
    });
  });

  test("a worker that was declared gone claims nothing; a result nobody took from it counts", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b"));
    const run = await claimOne(store, worker);
    await store.leave(worker);
    assert.deepEqual(
      await store.exchange(worker, [finished(run, success)], 1),
      { claims: [], stale: [], cancel: [], signals: [], stop: null },
    );
    assert.deepEqual((await store.list({ limit: 10 })).map(({ state }) => state), ["completed", "pending"]);
  });

  test("many connections that claim at once get every job exactly once", async ({ store, connect }) => {
    const names = Array.from({ length: 300 }, (_, number) => `job-${number}`);
    await store.enqueue(newJobs(...names));
    const connections = await Promise.all(Array.from({ length: 8 }, connect));
    const claimed = await Promise.all(connections.map(async (connection, index) => {
      const worker = await join(connection);
      const all: string[] = [];
      for (;;) {
        const claims = await claim(connection, worker, index % 3 + 1);
        if (claims.length === 0) return all;
        all.push(...ids(claims));
      }
    }));
    assert.deepEqual(claimed.flat().sort(), names.toSorted());
    assert.equal((await store.counts()).processing, 300);
  });

  test("availability tells whether a job is ready and when the next one is due", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b"));
    assert.deepEqual(await store.availability(), { ready: true, dueIn: null });
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual(await store.availability(), { ready: true, dueIn: 2000 });
    clock.advance(500);
    const b = await claimOne(store, worker);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1500 });
    await end(store, worker, b, failure);
    clock.advance(1500);
    assert.equal((await store.availability()).dueIn, 0);
    assert.equal((await claimOne(store, worker)).id, "a");
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 500 });
  });

  test("changed tells of work, settings and requests of other connections, and is quiet after that", async ({ store, connect }) => {
    const other = await connect();
    const [worker, manager] = [await join(store), await join(store, { role: "manager" })];
    const changes: Record<string, () => Promise<unknown>> = {
      "a job that runs": async () => {
        await other.enqueue(newJobs("a"));
        await claimOne(other, worker);
      },
      cancel: () => other.cancel(["a"]),
      "a new job": () => other.enqueue(newJobs("b")),
      "many new jobs": async () => {
        using intake = await other.intake();
        intake.add([newJob("c")]);
        await intake.commit();
      },
      "a setting": () => other.setSetting("grace", "1s"),
      "no setting": () => other.unsetSetting("grace"),
      "a stop": () => other.requestStop({ grace: 1 }, []),
      "a retry": async () => {
        await addDead(other, "dead");
        await waitFor("quiet", () => !store.changed());
        await other.dlqRetry(["dead"]);
      },
    };
    for (const [name, change] of Object.entries(changes)) {
      await waitFor(`quiet before ${name}`, () => !store.changed());
      await change();
      await waitFor(`news of ${name}`, () => store.changed());
    }
    await waitFor("quiet", () => !store.changed());
    await store.leave(manager);
  });

  test("changed tells of a job that a worker of another connection could not keep", async ({ store, connect }) => {
    const other = await connect();
    const worker = await join(other);
    await other.enqueue(newJobs("a"));
    const run = await claimOne(other, worker);
    await waitFor("quiet", () => !store.changed());
    await end(other, worker, run, handedBack);
    await waitFor("news", () => store.changed());
  });
}
