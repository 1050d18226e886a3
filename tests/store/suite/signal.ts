/** Signals for jobs that run, as their workers find them. */

import assert from "node:assert/strict";
import { addOneOfEach } from "./every_state.ts";
import { type Case, claimOne, end, failure, ids, join, newJob, newJobs, success, told } from "./harness.ts";

export function signalCases(test: Case): void {
  test("a signal is told to the worker of the job alone, in order, until it is removed", async ({ store }) => {
    const [worker, other] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a", "b"));
    const run = await claimOne(store, worker);
    await claimOne(store, other);
    assert.deepEqual((await store.signal(["a"], "SIGSTOP")).ids, ["a"]);
    assert.deepEqual((await store.signal({ search: "a" }, "SIGCONT")).ids, ["a"]);
    const { signals } = await store.exchange(worker, [], 0);
    const told = signals.map(({ seq, run, name }) => ({ seq, run, name }));
    assert.deepEqual(told, ["SIGSTOP", "SIGCONT"].map((name) => ({ seq: run.seq, run: run.run, name })));
    assert.deepEqual((await store.exchange(other, [], 1)).signals, []);
    assert.deepEqual((await store.exchange(worker, [], 1)).signals, signals);
    await store.removeSignals([signals[0].id, signals[0].id]);
    assert.deepEqual((await store.exchange(worker, [], 0)).signals, [signals[1]]);
    await store.removeSignals([signals[1].id, 999_999]);
    assert.deepEqual((await store.exchange(worker, [], 0)).signals, []);
  });

  test("a run is stopped from SIGSTOP to SIGCONT, and the next one is not", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0 }), newJob("b")]);
    const run = await claimOne(store, worker);
    await claimOne(store, worker);
    const stopped = async () => {
      const { running } = await store.upcoming(0);
      assert.deepEqual(
        await Promise.all(running.map(async ({ id }) => (await store.detail(id)).stopped)),
        running.map(({ stopped }) => stopped),
      );
      return ids(running.filter(({ stopped }) => stopped));
    };
    assert.deepEqual(await stopped(), []);
    await store.signal("all", "SIGSTOP");
    await store.signal(["a"], "SIGTERM");
    assert.deepEqual(await stopped(), ["a", "b"]);
    await store.signal(["b"], "SIGCONT");
    assert.deepEqual(await stopped(), ["a"]);
    await end(store, worker, run, failure);
    assert.equal((await store.detail("a")).stopped, false);
    await claimOne(store, worker);
    assert.deepEqual(await stopped(), []);
  });

  test("signals go with their run, and are not for the next one", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0 }), newJob("b", { priority: -1 })]);
    const run = await claimOne(store, worker);
    const other = await claimOne(store, worker);
    await store.signal(["a", "b"], "SIGUSR1");
    await end(store, worker, run, failure);
    const next = await claimOne(store, worker);
    assert.deepEqual([next.id, next.run], ["a", 2]);
    const { signals } = await store.exchange(worker, [], 0);
    assert.deepEqual(signals.map(({ seq, run }) => [seq, run]), [[other.seq, 1]]);
    await end(store, worker, other, success);
    await end(store, worker, next, success);
    assert.deepEqual((await store.exchange(worker, [], 0)).signals, []);
    assert.deepEqual(await store.check(), []);
  });

  test("whoever takes a run over is told of its signals", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, old);
    await store.signal(["a"], "SIGTERM");
    await store.takeOver(heir, [old], []);
    const { signals } = await store.exchange(heir, [], 0);
    assert.deepEqual(signals.map(({ seq, run, name }) => [seq, run, name]), [[run.seq, 1, "SIGTERM"]]);
  });

  test("only jobs that run are signalled, all or none", async (subject) => {
    const { store } = subject;
    const { worker } = await addOneOfEach(subject);
    await assert.rejects(
      store.signal(["processing", "pending"], "SIGTERM"),
      told("conflict", '"pending" cannot be signalled', "its state is pending", "only running jobs"),
    );
    await assert.rejects(store.signal(["processing", "unknown"], "SIGTERM"), told("not_found", "unknown"));
    assert.deepEqual((await store.exchange(worker, [], 0)).signals, []);
    assert.deepEqual((await store.signal("all", "SIGTERM")).ids, ["processing"]);
    assert.deepEqual((await store.signal({ kinds: ["pending", "held"] }, "SIGTERM")).ids, []);
    assert.equal((await store.exchange(worker, [], 0)).signals.length, 1);
  });
}
