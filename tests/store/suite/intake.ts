/** Adding any number of jobs, all or none. */

import assert from "node:assert/strict";
import { type Case, claim, ids, join, newJob, newJobs, plainFields, told } from "./harness.ts";

export function intakeCases(test: Case): void {
  test("intake adds its jobs in their order, with every field", async ({ store, clock }) => {
    const jobs = [
      newJob("z", { command: "echo é中😀", env: { A: "1" }, cwd: "/tmp" }),
      newJob("a", { attempts: 1, maxRetries: 0, priority: 3, timeout: 0, baseBackoff: 0.5 }),
      newJob("m", { timeout: 5000 }),
    ];
    using intake = await store.intake();
    intake.add(jobs);
    assert.deepEqual([...intake.ids()], ["z", "a", "m"]);
    assert.equal(await intake.commit(), 3);
    assert.deepEqual([...intake.ids()], ["z", "a", "m"]);
    assert.deepEqual(
      await store.list({ limit: 10 }),
      jobs.map((job, index) => ({
        ...job,
        seq: index + 1,
        state: "pending",
        createdAt: clock.now(),
        updatedAt: clock.now(),
        nextAttemptAt: null,
        lastError: null,
        ...plainFields,
      })),
    );
    assert.deepEqual(ids(await claim(store, await join(store), 3)), ["a", "z", "m"]);
  });

  test("intake puts jobs off, from the moment at which they are stored", async ({ store, clock }) => {
    using intake = await store.intake();
    intake.add([newJob("delayed", { delay: 1000 })]);
    intake.add([newJob("at", { at: clock.now() + 5000 })]);
    intake.add([newJob("past", { at: clock.now() + 50 })]);
    intake.add([newJob("now")]);
    clock.advance(100);
    const stored = clock.now();
    assert.equal(await intake.commit(), 4);
    assert.deepEqual(
      (await store.list({ limit: 10 })).map(({ id, nextAttemptAt }) => [id, nextAttemptAt]),
      [["delayed", stored + 1000], ["at", stored + 4900], ["past", null], ["now", null]],
    );
    assert.deepEqual(ids(await claim(store, await join(store), 9)), ["past", "now"]);
  });

  test("intake shows nothing before commit, and holds up nobody", async ({ store, connect }) => {
    const other = await connect();
    using intake = await store.intake();
    for (let number = 0; number < 5000; number++) intake.add([newJob(`job-${number}`)]);
    assert.deepEqual(await other.list({ limit: 10 }), []);
    await other.enqueue(newJobs("first"));
    assert.equal(await intake.commit(), 5000);
    assert.deepEqual(ids(await other.list({ limit: 10_000 })).slice(0, 3), ["first", "job-0", "job-1"]);
  });

  test("intake of no jobs", async ({ store }) => {
    using intake = await store.intake();
    assert.equal(await intake.commit(), 0);
    assert.deepEqual([...intake.ids()], []);
  });

  test("intake refuses an id that was added already; without commit nothing is left", async ({ store }) => {
    {
      using intake = await store.intake();
      assert.equal(intake.add([newJob("a")]), 1);
      assert.equal(intake.add([newJob("a", { command: "other" })]), 0);
      assert.deepEqual([...intake.ids()], ["a"]);
    }
    assert.deepEqual(await store.list({ limit: 10 }), []);
    await store.enqueue(newJobs("a"));
  });

  test("intake of many jobs at once ends before the first whose id was added, wherever that is", async ({ store }) => {
    const many = (from: number, to: number) =>
      Array.from(
        { length: to - from },
        (_, index) => newJob(`job-${from + index}`, (from + index) % 50 === 49 ? { tags: ["t"] } : {}),
      );
    const twice = newJob("twice");
    for (const place of [0, 1, 31, 32, 33, 60, 64, 99]) {
      using intake = await store.intake();
      const jobs = [...many(0, place), twice, ...many(place, 100), twice, ...many(100, 200)];
      assert.equal(intake.add(jobs), 101);
      assert.deepEqual([...intake.ids()], ids(jobs.slice(0, 101)));
      assert.equal(intake.add([newJob("later"), newJob("job-7"), newJob("unseen")]), 1);
      assert.equal(intake.add(many(100, 200)), 100);
      assert.equal(await intake.commit(), 202);
      const expected = [...ids(jobs.slice(0, 101)), "later", ...ids(many(100, 200))];
      assert.deepEqual([...intake.ids()], expected);
      assert.deepEqual(ids(await store.list({ limit: 1000 })), expected);
      await store.remove("all");
    }
  });

  test("intake adds none when an id exists in the queue", async ({ store }) => {
    await store.enqueue(newJobs("b"));
    {
      using intake = await store.intake();
      intake.add(newJobs("a", "b", "c"));
      await assert.rejects(intake.commit(), (error) => {
        told("conflict", `"b"`)(error);
        return !/"[ac]"/.test(String(error));
      });
    }
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["b"]);
  });

  test("intake sees an id that came into the queue after it was added", async ({ store, connect }) => {
    const other = await connect();
    using intake = await store.intake();
    intake.add([newJob("a")]);
    await other.enqueue(newJobs("a"));
    await assert.rejects(intake.commit(), told("conflict", `"a"`));
  });

  test("intakes can follow one another on one connection, whatever became of them", async ({ store }) => {
    const endings = ["commit", "dispose", "commit", "conflict", "commit"] as const;
    for (const [number, ending] of endings.entries()) {
      using intake = await store.intake();
      intake.add([newJob(`job-${ending === "conflict" ? 0 : number}`)]);
      if (ending === "commit") assert.equal(await intake.commit(), 1);
      if (ending === "conflict") await assert.rejects(intake.commit(), told("conflict"));
    }
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["job-0", "job-2", "job-4"]);
  });

  test("ids that are read only in part do not keep an intake from being disposed of", async ({ store }) => {
    {
      using intake = await store.intake();
      intake.add(newJobs("a", "b", "c"));
      await intake.commit();
      for (const id of intake.ids()) {
        assert.equal(id, "a");
        break;
      }
    }
    using again = await store.intake();
    again.add([newJob("d")]);
    assert.equal(await again.commit(), 1);
  });
}
