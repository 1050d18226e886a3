/** Putting jobs into the queue. */

import assert from "node:assert/strict";
import { type Case, claim, claimOne, ids, join, newJob, newJobs, plainFields, told } from "./harness.ts";

export function enqueueCases(test: Case): void {
  test("a new queue is empty", async ({ store }) => {
    assert.deepEqual(await store.list({ limit: 10 }), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
    assert.equal(await store.deaths(), 0);
    assert.deepEqual(await store.processes(), []);
  });

  test("enqueue stores jobs as pending, with the time of the store", async ({ store, clock }) => {
    await store.enqueue([newJob("a", { maxRetries: 7, priority: -5 })]);
    assert.deepEqual(await store.list({ limit: 10 }), [{
      ...newJob("a", { maxRetries: 7, priority: -5 }),
      seq: 1,
      state: "pending",
      createdAt: clock.now(),
      updatedAt: clock.now(),
      nextAttemptAt: null,
      lastError: null,
      ...plainFields,
    }]);
    assert.equal(await store.lastOutput("a"), null);
    assert.deepEqual(await store.attempts("a"), []);
  });

  test("a job that is put off waits, pending, until its time and not a millisecond longer", async ({ store, clock }) => {
    const worker = await join(store);
    const start = clock.now();
    await store.enqueue([
      newJob("delayed", { delay: 1500 }),
      newJob("at", { at: start + 3000 }),
      newJob("past", { at: start }),
      newJob("long past", { at: 1 }),
      newJob("no delay", { delay: 0 }),
    ]);
    const waits = async () =>
      (await store.list({ kinds: ["pending"], limit: 10 })).map((
        { id, nextAttemptAt },
      ) => [id, nextAttemptAt]);
    assert.deepEqual(await waits(), [
      ["delayed", start + 1500],
      ["at", start + 3000],
      ["past", null],
      ["long past", null],
      ["no delay", null],
    ]);
    assert.deepEqual(await store.availability(), { ready: true, dueIn: 1500 });
    assert.deepEqual(ids(await claim(store, worker, 9)), ["past", "long past", "no delay"]);
    // Found also where most jobs are in other states.
    assert.deepEqual((await waits()).map(([id]) => id), ["delayed", "at"]);
    clock.advance(1499);
    assert.deepEqual(await claim(store, worker, 9), []);
    clock.advance(1);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["delayed"]);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1500 });
    clock.advance(1500);
    const { id, attempt } = await claimOne(store, worker);
    assert.deepEqual([id, attempt], ["at", 1]);
  });

  test("a job that is put off can be cancelled", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { delay: 1000 })]);
    await store.cancel(["a"]);
    clock.advance(1000);
    assert.deepEqual(await claim(store, worker), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
  });

  test("enqueue of no jobs changes nothing", async ({ store }) => {
    await store.enqueue([]);
    assert.deepEqual(await store.list({ limit: 10 }), []);
  });

  test("enqueue stores none of the jobs when an id exists, and names the ids that do", async ({ store }) => {
    await store.enqueue(newJobs("a", "b"));
    await assert.rejects(store.enqueue(newJobs("c", "b", "d", "a")), (error) => {
      told("conflict", `"a"`, `"b"`)(error);
      return !/"[cd]"/.test(String(error));
    });
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["a", "b"]);
  });

  test("enqueue stores none of the jobs when an id is there twice", async ({ store }) => {
    await assert.rejects(store.enqueue(newJobs("a", "b", "a")), told("conflict", `"a"`));
    assert.deepEqual(await store.list({ limit: 10 }), []);
  });

  test("an id stays taken in whatever state its job is", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await claimOne(store, worker);
    await assert.rejects(store.enqueue([newJob("a", { command: "other" })]), told("conflict", `"a"`));
  });

  test("a conflict of many jobs is still told in one short line", async ({ store }) => {
    const jobs = newJobs(...Array.from({ length: 500 }, (_, number) => `job-${number}`));
    await store.enqueue(jobs);
    await assert.rejects(store.enqueue(jobs), (error) => {
      told("conflict", `"job-0"`)(error);
      return (error as Error).message.length < 500;
    });
  });

  test("ids that differ in case or in an accent are different", async ({ store }) => {
    const different = ["job", "JOB", "j\u00f6b", "jo\u0308b", "%", "_", "'; DROP TABLE jobs; --"];
    await store.enqueue(newJobs(...different));
    assert.deepEqual(ids(await store.list({ limit: 10 })), different);
  });

  test("every field of a job comes back as it went in", async ({ store }) => {
    const worker = await join(store);
    const jobs = [
      newJob("unicode é中😀", { command: `printf 'é中😀\\n' "ü" \t# שלום\nsecond line` }),
      newJob("long", { command: `echo ${"x".repeat(130_000)}` }),
      newJob("folder", { cwd: "/tmp/a folder/with 'quotes' and é" }),
      newJob("environment", { env: { A: "", B: `quo"ted \\ 'text'`, C: "line\nline", D_1: "é中😀" } }),
      newJob("numbers", { attempts: 2, maxRetries: 1000, priority: 1_000_000, timeout: 3_153_600_000_000 }),
      newJob("zeros", { maxRetries: 0, priority: -1_000_000, timeout: 0, baseBackoff: 0 }),
      newJob("fraction", { baseBackoff: 1.25 }),
      newJob("queue", { queue: "queue-é", tags: ["a", "ü:b"], uniqueKey: "key 'of' \"it\" 😀" }),
      newJob("rules", {
        retryRules: { backoff: "linear", maxBackoff: 5, jitter: 0.5, retryOn: [1], noRetryOn: [] },
      }),
    ];
    await store.enqueue(jobs);
    const listed = await store.list({ limit: 100 });
    const claims = (await store.exchange(worker, [], 100)).claims;
    for (const [position, job] of jobs.entries()) {
      const {
        seq: _q,
        state: _s,
        createdAt: _c,
        updatedAt: _u,
        nextAttemptAt: _n,
        lastError: _l,
        ...fields
      } = listed[position];
      assert.deepEqual(fields, { ...plainFields, ...job });
      const run = claims.find(({ id }) => id === job.id)!;
      const { command, maxRetries, timeout, baseBackoff, cwd, env, retryRules = null, queue = "default" } =
        job;
      assert.deepEqual(run, {
        ...{ command, maxRetries, timeout, baseBackoff, cwd, env, retryRules, queue },
        id: job.id,
        seq: run.seq,
        claim: 1,
        run: 1,
        attempt: job.attempts + 1,
        startedAt: run.startedAt,
        elapsed: 0,
        elsewhere: false,
        rated: false,
        problem: null,
        postponed: 0,
      });
    }
  });
}
