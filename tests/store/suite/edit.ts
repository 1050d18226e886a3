/** Changing what a job is, while it does not run. */

import assert from "node:assert/strict";
import type { JobChanges } from "../../../src/job/job.ts";
import { addOneOfEach } from "./every_state.ts";
import { type Case, claim, claimOne, end, failure, ids, jobById, join, newJob, told } from "./harness.ts";

export function editCases(test: Case): void {
  test("edit changes the fields that are given, and nothing else", async ({ store, clock }) => {
    await store.enqueue([newJob("a", { env: { KEEP: "1", DROP: "2" }, timeout: 5, cwd: "/x" })]);
    const steps: Array<[JobChanges, Partial<Awaited<ReturnType<typeof jobById>>>]> = [
      [{ command: "make 'é'" }, { command: "make 'é'" }],
      [{ priority: -7, maxRetries: 0 }, { priority: -7, maxRetries: 0 }],
      [{ timeout: null, baseBackoff: 1.5, cwd: null }, { timeout: null, baseBackoff: 1.5, cwd: null }],
      [{ timeout: 0, baseBackoff: null, cwd: "/y" }, { timeout: 0, baseBackoff: null, cwd: "/y" }],
      [{ env: { NEW: 'q"\n', DROP: null, NONE: null } }, { env: { KEEP: "1", NEW: 'q"\n' } }],
      [{ env: { KEEP: null, NEW: null } }, { env: null }],
      [{ env: { FIRST: "" } }, { env: { FIRST: "" } }],
      [{ retryRules: { backoff: "linear", retryOn: [1, 2] } }, {
        retryRules: { backoff: "linear", retryOn: [1, 2] },
      }],
      [{ retryRules: { retryOn: [7], noRetryOn: null, jitter: 0.5 } }, {
        retryRules: { backoff: "linear", retryOn: [7], jitter: 0.5 },
      }],
      [{ retryRules: { backoff: null, retryOn: null, jitter: null, maxBackoff: null } }, {
        retryRules: null,
      }],
    ];
    for (const [changes, fields] of steps) {
      clock.advance(1000);
      const before = await jobById(store, "a");
      assert.deepEqual((await store.edit(["a"], changes)).ids, ["a"]);
      assert.deepEqual(await jobById(store, "a"), { ...before, ...fields, updatedAt: clock.now() });
    }
  });

  test("edit and retry give jobs other tags, by which they are found then", async ({ store }) => {
    await store.enqueue([newJob("a", { tags: ["x", "y"] }), newJob("b"), newJob("c", { tags: ["x"] })]);
    const tagged = async (tag: string) => ids(await store.list({ tags: [tag], limit: 9 }));
    await store.edit(["a", "b"], { tags: ["y", "z"], priority: 1 });
    assert.deepEqual((await jobById(store, "b")).tags, ["y", "z"]);
    assert.deepEqual([await tagged("x"), await tagged("y"), await tagged("z")], [["c"], ["a", "b"], [
      "a",
      "b",
    ]]);
    await store.edit(["a"], { tags: [] });
    await store.edit(["c"], { priority: 2 });
    assert.deepEqual([await tagged("x"), await tagged("y")], [["c"], ["b"]]);
    await store.cancel(["b", "c"]);
    await store.retry("all", { tags: ["again"] });
    assert.deepEqual([await tagged("again"), await tagged("x"), await tagged("y")], [["b", "c"], [], []]);
    assert.deepEqual((await jobById(store, "a")).tags, []);
  });

  test("an edited priority counts at the next claim", async ({ store }) => {
    await store.enqueue([newJob("a"), newJob("b")]);
    await store.edit(["b"], { priority: 1 });
    const run = await claimOne(store, await join(store));
    assert.equal(run.id, "b");
  });

  test("edit with a start has jobs that wait run later, at a time, or now", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([
      newJob("fails", { priority: 1 }),
      newJob("waits"),
      newJob("later", { delay: 9000 }),
    ]);
    await end(store, worker, await claimOne(store, worker), failure);
    const due = async (id: string) => (await jobById(store, id)).nextAttemptAt;
    assert.deepEqual((await store.edit(["waits"], {}, { delay: 5000 })).ids, ["waits"]);
    assert.equal(await due("waits"), clock.now() + 5000);
    await store.edit(["later"], { priority: 3 }, { at: clock.now() + 7000 });
    assert.equal(await due("later"), clock.now() + 7000);
    await store.edit(["fails"], {}, { delay: 60_000 });
    assert.equal(await due("fails"), clock.now() + 60_000);
    clock.advance(5001);
    assert.equal((await claimOne(store, worker)).id, "waits");
    assert.deepEqual(await claim(store, worker, 9), []);
    await store.edit(["later"], {}, null);
    await store.edit(["fails"], {}, { at: clock.now() });
    assert.deepEqual([await due("later"), await due("fails")], [null, null]);
    assert.equal((await jobById(store, "fails")).state, "failed");
    assert.deepEqual(ids(await claim(store, worker, 9)), ["later", "fails"]);
    assert.deepEqual(await store.check(), []);
  });

  test("a job that is run now waits on for its release and for others", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("parent", { held: true })]);
    await store.enqueue([
      newJob("child", { after: ["parent"], delay: 1000 }),
      newJob("held", { held: true, delay: 1000 }),
    ]);
    await store.edit(["child", "held"], {}, null);
    assert.deepEqual(await claim(store, worker, 9), []);
    await store.edit(["child", "held"], {}, { delay: 50 });
    clock.advance(51);
    assert.deepEqual(await claim(store, worker, 9), []);
    await store.release(["held", "parent"]);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["parent", "held"]);
    assert.deepEqual(await store.check(), []);
  });

  test("only jobs that wait are rescheduled, all or none", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    const others = ["dead", "completed", "cancelled", "processing"];
    for (const id of others) {
      await assert.rejects(
        store.edit(["pending", id], { priority: 5 }, { delay: 5000 }),
        told("conflict", `Job "${id}" cannot be rescheduled: its state is ${id}, only waiting jobs`),
      );
    }
    assert.equal((await jobById(store, "pending")).nextAttemptAt, null);
  });

  test("edit of a job that runs is a conflict, and changes none", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    await assert.rejects(
      store.edit(["dead", "processing"], { priority: 5 }),
      told("conflict", '"processing"', "its state is processing"),
    );
    await assert.rejects(store.edit(["dead", "unknown"], { priority: 5 }), told("not_found", "unknown"));
    assert.equal((await jobById(store, "dead")).priority, 1000);
    const others = ["dead", "completed", "failed", "due", "cancelled", "pending"];
    const before = await store.counts();
    assert.deepEqual((await store.edit(others, { priority: 5 })).ids, others);
    assert.deepEqual(await store.counts(), before);
    const edited = (await store.list({ limit: 9 })).filter(({ priority }) => priority === 5);
    assert.deepEqual(ids(edited), others);
  });
}
