/** The dead letter queue. */

import assert from "node:assert/strict";
import {
  addDead,
  type Case,
  claim,
  claimOne,
  end,
  failure,
  ids,
  jobById,
  join,
  newJob,
  newJobs,
  told,
} from "./harness.ts";

export function deadLetterCases(test: Case): void {
  test("dlqRetry makes a dead job pending, its attempts and error cleared, its runs kept", async ({ store, clock }) => {
    await addDead(store, "a");
    clock.advance(1000);
    assert.deepEqual((await store.dlqRetry(["a"])).ids, ["a"]);
    const job = await jobById(store, "a");
    assert.deepEqual(
      [job.state, job.attempts, job.lastError, job.nextAttemptAt, job.updatedAt],
      ["pending", 0, null, null, clock.now()],
    );
    assert.equal((await store.attempts("a")).length, 1);
    const run = await claimOne(store, await join(store));
    assert.deepEqual([run.id, run.attempt, run.run], ["a", 1, 2]);
  });

  test("runs before and after dlqRetry are told apart by their run number", async ({ store }) => {
    await addDead(store, "a");
    await store.dlqRetry(["a"]);
    const worker = await join(store);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual((await store.attempts("a")).map(({ run, number }) => [run, number]), [[1, 1], [2, 1]]);
    assert.equal((await jobById(store, "a")).state, "dead");
    assert.equal(await store.deaths(), 2);
  });

  test("a retried job is claimed in the order of its age", async ({ store }) => {
    await addDead(store, "a");
    await store.enqueue([newJob("b", { priority: 1000 })]);
    await store.dlqRetry(["a"]);
    assert.deepEqual(ids(await claim(store, await join(store), 2)), ["a", "b"]);
  });

  test("dlqPurge removes a dead job with its runs; its id can be used again", async ({ store }) => {
    await addDead(store, "a", "b");
    assert.deepEqual((await store.dlqPurge(["a"])).ids, ["a"]);
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["b"]);
    await assert.rejects(store.attempts("a"), told("not_found", "a"));
    assert.equal(await store.lastOutput("a"), null);
    assert.equal((await store.attempts("b")).length, 1);
    await store.enqueue(newJobs("a"));
    assert.deepEqual(await store.attempts("a"), []);
  });

  test("deaths never goes down", async ({ store }) => {
    await addDead(store, "a", "b", "c");
    assert.equal(await store.deaths(), 3);
    await store.dlqPurge(["a"]);
    await store.dlqRetry("all");
    assert.equal(await store.deaths(), 3);
  });

  test("dlqPurge does not take a prefix for unique because it has just removed the other job", async ({ store }) => {
    await addDead(store, "apple", "apples");
    await assert.rejects(store.dlqPurge(["apple", "app"]), told("usage", `"app"`));
    assert.equal((await store.counts()).dead, 2);
  });

  const operations = [["dlqRetry", "retried"], ["dlqPurge", "purged"]] as const;
  for (const [operation, verb] of operations) {
    test(`${operation} takes all dead jobs and leaves the others`, async ({ store }) => {
      await addDead(store, "a", "b", "c");
      await store.enqueue(newJobs("d"));
      assert.deepEqual((await store[operation]("all")).ids, ["a", "b", "c"]);
      assert.equal((await store.counts()).dead, 0);
      assert.equal((await jobById(store, "d")).state, "pending");
      assert.deepEqual((await store[operation]("all")).ids, []);
    });

    test(`${operation} takes whole ids and unique prefixes`, async ({ store }) => {
      await addDead(store, "apple", "banana", "bananas", "cherry", "100%", "a_b");
      assert.deepEqual((await store[operation](["ch", "banana", "100"])).ids, ["banana", "cherry", "100%"]);
      await assert.rejects(store[operation](["%"]), told("not_found", "%"));
      await assert.rejects(store[operation](["_"]), told("not_found", "_"));
      assert.equal((await store.counts()).dead, 3);
    });

    test(`${operation} of an unknown id is not_found`, async ({ store }) => {
      await addDead(store, "a");
      for (const id of ["b", "aa", "A", ""]) {
        await assert.rejects(store[operation]([id]), told("not_found", `No DLQ job found with id ${id}`));
      }
    });

    test(`${operation} of a job that is not dead is a conflict that tells its state`, async ({ store }) => {
      await store.enqueue(newJobs("a-job"));
      await assert.rejects(store[operation](["a-j"]), told("conflict", `"a-job"`, "pending", verb));
      await claimOne(store, await join(store));
      await assert.rejects(store[operation](["a-job"]), told("conflict", `"a-job"`, "processing", verb));
    });

    test(`${operation} of a prefix that several ids have tells two of them`, async ({ store }) => {
      await addDead(store, "ba", "bb");
      await store.enqueue(newJobs("bc"));
      await assert.rejects(store[operation](["b"]), told("usage", `"b"`, "ba", "bb"));
    });

    test(`${operation} changes none of the jobs when one cannot be ${verb}`, async ({ store }) => {
      await addDead(store, "a", "ba", "bb");
      await store.enqueue(newJobs("p"));
      const before = await store.list({ limit: 10 });
      await assert.rejects(store[operation](["a", "unknown"]), told("not_found", "unknown"));
      await assert.rejects(store[operation](["a", "p"]), told("conflict", `"p"`));
      await assert.rejects(store[operation](["a", "b"]), told("usage", `"b"`));
      assert.deepEqual(await store.list({ limit: 10 }), before);
      assert.equal((await store.attempts("a")).length, 1);
    });

    test(`${operation} takes a job that is named twice once`, async ({ store }) => {
      await addDead(store, "apple", "banana");
      assert.deepEqual((await store[operation](["apple", "banana", "app", "apple"])).ids, [
        "apple",
        "banana",
      ]);
    });
  }
}
