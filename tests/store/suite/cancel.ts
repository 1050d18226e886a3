/** Cancelling jobs that wait and jobs that run. */

import assert from "node:assert/strict";
import type { Outcome } from "../../../src/job/job.ts";
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
  jobById,
  join,
  newJob,
  newJobs,
  success,
  told,
} from "./harness.ts";

const cancelled: Outcome = { kind: "cancelled" };

export function cancelCases(test: Case): void {
  test("cancel takes jobs that wait out of the queue for good", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("failed", { priority: 1 }), ...newJobs("a", "b")]);
    await end(store, worker, await claimOne(store, worker), failure);
    clock.advance(500);
    assert.partialDeepStrictEqual(await store.cancel(["a", "failed"]), { ids: ["a", "failed"], running: [] });
    const job = await jobById(store, "failed");
    assert.deepEqual([job.state, job.nextAttemptAt, job.updatedAt], ["cancelled", null, clock.now()]);
    clock.advance(3_600_000);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["b"]);
  });

  test("cancel of a job that runs is told to its worker alone, until it has ended", async ({ store }) => {
    const [worker, other] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a", "b"));
    const run = await claimOne(store, worker);
    await claimOne(store, other);
    assert.partialDeepStrictEqual(await store.cancel(["a"]), { ids: ["a"], running: ["a"] });
    assert.equal((await jobById(store, "a")).state, "processing");
    assert.deepEqual((await store.exchange(worker, [], 0)).cancel, [run.seq]);
    assert.deepEqual((await store.exchange(other, [], 1)).cancel, []);
    await end(store, worker, run, cancelled);
    assert.deepEqual((await store.exchange(worker, [], 1)).cancel, []);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.attempts, job.lastError], ["cancelled", 1, null]);
    assert.deepEqual((await store.attempts("a")).map(({ outcome }) => outcome), ["cancelled"]);
  });

  for (const [name, outcome] of [["failed", failure], ["was handed back", handedBack]] as const) {
    test(`a cancelled run that ${name} before it was ended is not run again`, async ({ store, clock }) => {
      const worker = await join(store);
      await store.enqueue([newJob("a", { baseBackoff: 0 })]);
      const run = await claimOne(store, worker);
      await store.cancel(["a"]);
      await end(store, worker, run, outcome);
      assert.equal((await jobById(store, "a")).state, "cancelled");
      clock.advance(3_600_000);
      assert.deepEqual(await claim(store, worker), []);
    });
  }

  test("a result before the cancel counts, and so does success after it", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("before", "after"));
    const [before, after] = await claim(store, worker, 2);
    await end(store, worker, before, success);
    await assert.rejects(store.cancel(["before"]), told("conflict", "before", "completed"));
    await store.cancel(["after"]);
    await end(store, worker, after, success);
    assert.equal((await jobById(store, "after")).state, "completed");
    assert.deepEqual((await store.exchange(worker, [], 0)).cancel, []);
  });

  test("whoever takes a cancelled run over is told too", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, old);
    await store.cancel(["a"]);
    await store.takeOver(heir, [old], []);
    assert.deepEqual((await store.exchange(heir, [], 0)).cancel, [run.seq]);
    assert.deepEqual((await store.exchange(old, [finished(run, cancelled)], 0)).stale, [run.seq]);
  });

  test("cancel is all or none, and says why", async ({ store }) => {
    await addDead(store, "dead");
    await store.enqueue(newJobs("a", "b1", "b2"));
    await assert.rejects(store.cancel(["a", "missing"]), told("not_found", "missing"));
    await assert.rejects(store.cancel(["a", "dead"]), told("conflict", "dead"));
    await assert.rejects(store.cancel(["a", "b"]), told("usage", "b1", "b2"));
    assert.equal((await jobById(store, "a")).state, "pending");
    assert.partialDeepStrictEqual(await store.cancel(["a", "a"]), { ids: ["a"], running: [] });
  });
}
