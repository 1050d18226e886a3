/** How far jobs are. */

import assert from "node:assert/strict";
import type { JobProgress } from "../../../src/store/progress.ts";
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
  told,
} from "./harness.ts";

const seqOf = ({ seq }: JobProgress) => seq;

export function progressCases(test: Case): void {
  test("jobs are found in the order of the ids, prefixes among them", async ({ store }) => {
    await store.enqueue(newJobs("alpha", "beta", "beta-2"));
    const found = await store.find(["beta", "al", "beta-"]);
    assert.deepEqual(ids(found), ["beta", "alpha", "beta-2"]);
    assert.deepEqual(found[1], {
      seq: found[1].seq,
      id: "alpha",
      queue: "default",
      state: "pending",
      attempts: 0,
      maxRetries: 3,
      run: 0,
      cancelling: false,
      stopped: false,
      dueIn: null,
    });
    assert.deepEqual(await store.find([]), []);
    await assert.rejects(store.find(["alpha", "bet"]), told("usage", "beta", "beta-2"));
    await assert.rejects(store.find(["alpha", "gamma"]), told("not_found", "No job found with id gamma"));
    await assert.rejects(store.find([""]), told("not_found"));
  });

  test("progress follows a job through its states, until it is gone", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { maxRetries: 1 }), newJob("b")]);
    const seqs = (await store.find(["a"])).map(seqOf);
    const look = async () => {
      const [job] = await store.progress(seqs);
      return [job.state, job.attempts, job.run, job.dueIn];
    };
    assert.deepEqual(await look(), ["pending", 0, 0, null]);
    const first = await claimOne(store, worker);
    assert.deepEqual(await look(), ["processing", 1, 1, null]);
    await end(store, worker, first, handedBack);
    assert.deepEqual(await look(), ["pending", 0, 1, null]);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual(await look(), ["failed", 1, 2, 2000]);
    clock.advance(2500);
    assert.deepEqual(await look(), ["failed", 1, 2, -500]);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual(await look(), ["dead", 2, 3, null]);
    await store.dlqPurge(["a"]);
    assert.deepEqual(await store.progress(seqs), []);
    assert.deepEqual(await store.progress([]), []);
  });

  test("running jobs are those that are processing, also those that are to be cancelled", async ({ store }) => {
    const worker = await join(store);
    assert.deepEqual(await store.upcoming(10), { last: 0, running: [], next: [] });
    await store.enqueue(newJobs("a", "b", "c", "d"));
    const [a] = await claim(store, worker, 3);
    await store.cancel(["b"]);
    await end(store, worker, a, success);
    const { running } = await store.upcoming(0);
    assert.deepEqual(running.map(({ id, run, cancelling }) => [id, run, cancelling]), [["b", 1, true], [
      "c",
      1,
      false,
    ]]);
  });

  test("upcoming has what is claimed next and what is due next, up to a limit each", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b", "c"));
    const [a, b] = await claim(store, worker, 3);
    await end(store, worker, b, failure);
    clock.advance(1000);
    await end(store, worker, a, failure);
    await store.enqueue([newJob("d"), newJob("e"), newJob("f", { priority: 1 })]);
    const names = new Map((await store.find(["a", "b", "c", "d", "e", "f"])).map(({ seq, id }) => [seq, id]));
    const next = async (limit: number) =>
      (await store.upcoming(limit)).next.map(({ seq, run }) => `${names.get(seq)} ${run}`);
    assert.deepEqual(await next(10), ["f 0", "d 0", "e 0", "b 1", "a 1"]);
    assert.deepEqual(await next(1), ["f 0", "b 1"]);
    assert.deepEqual(await next(0), []);
    const { last } = await store.upcoming(0);
    assert.equal(names.get(last), "f");
    await claimOne(store, worker);
    const ran = async (seq: number) => ids(await store.ranAfter(seq));
    assert.deepEqual(await ran(0), ["a", "b", "c", "f"]);
    assert.deepEqual(await ran(last - 1), ["f"]);
    assert.deepEqual(await ran(last), []);
  });

  test("detail has the job, its ended runs and where it runs", async ({ store, clock }) => {
    const identity = { host: "host-1", boot: "boot", pid: 4711, start: "then" };
    const worker = await join(store, { identity });
    await store.enqueue([newJob("job-1", { env: { A: "b" }, cwd: "/tmp" })]);
    const startedAt = clock.now();
    const first = await claimOne(store, worker);
    clock.advance(3000);
    await store.exchange(worker, [
      finished(first, { kind: "signaled", signal: "SIGKILL", code: 137 }, { output: "x" }),
    ], 0);
    clock.advance(2000);
    const second = await claimOne(store, worker);
    clock.advance(700);
    const { job, runs, running, ahead, parents, children, ...progress } = await store.detail("job");
    assert.deepEqual([job.id, job.env, job.cwd, job.state], ["job-1", { A: "b" }, "/tmp", "processing"]);
    assert.deepEqual(progress, (await store.find(["job-1"]))[0]);
    assert.equal(ahead, null);
    assert.deepEqual([parents, children], [[], { ids: [], count: 0 }]);
    assert.deepEqual(running, {
      host: "host-1",
      pid: 4711,
      startedAt: startedAt + 5000,
      duration: 700,
    });
    assert.deepEqual(runs.map(({ worker: _, ...run }) => run), [{
      run: 1,
      number: 1,
      startedAt,
      endedAt: startedAt + 3000,
      outcome: "signaled",
      exitCode: 137,
      signal: "SIGKILL",
    }]);
    await end(store, worker, second, success);
    assert.equal((await store.detail("job-1")).running, null);
    assert.deepEqual((await store.detail("job-1")).runs.map(({ outcome }) => outcome), [
      "signaled",
      "exited",
    ]);
    await assert.rejects(store.detail("none"), told("not_found", "none"));
  });

  test("detail tells how many jobs are claimed before one that can be claimed", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("runs", "a", "b"));
    await claimOne(store, worker);
    await store.enqueue([newJob("high", { priority: 5 }), newJob("low", { priority: -1 }), newJob("c")]);
    const expected = { runs: null, high: 0, a: 1, b: 2, c: 3, low: 4 };
    for (const [id, ahead] of Object.entries(expected)) {
      assert.equal((await store.detail(id)).ahead, ahead, id);
    }
  });

  test("a worker that is gone is not named by what it has left", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await claimOne(store, worker);
    await store.leave(worker);
    const { running } = await store.detail("a");
    assert.deepEqual([running?.host, running?.pid], [null, null]);
    await store.takeOver(await join(store), [worker], []);
  });

  test("runs come one after another, with what they printed", async ({ store }) => {
    const worker = await join(store);
    await addDead(store, "before", "after");
    await store.enqueue([newJob("a", { baseBackoff: 0 })]);
    for (const output of ["one", "two"]) {
      await store.exchange(worker, [finished(await claimOne(store, worker), failure, { output })], 0);
    }
    const [{ seq }] = await store.find(["a"]);
    const read = async (run: number) => {
      const found = await store.runAfter(seq, run);
      return found && [found.run, found.output];
    };
    assert.deepEqual(await read(0), [1, "one"]);
    assert.deepEqual(await read(1), [2, "two"]);
    assert.equal(await read(2), null);
    assert.equal(await store.runAfter(seq + 1000, 0), null);
  });
}
