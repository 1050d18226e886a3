/** Jobs that have ended, or wait for a retry, get all their attempts again. */

import assert from "node:assert/strict";
import { addOneOfEach } from "./every_state.ts";
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

export function retryCases(test: Case): void {
  test("retry takes completed, failed, dead and cancelled jobs, with no attempts and no error", async (subject) => {
    const { store, clock } = subject;
    const { worker } = await addOneOfEach(subject);
    const names = ["due", "dead", "completed", "failed", "cancelled"];
    assert.deepEqual((await store.retry(names)).ids, ["dead", "completed", "failed", "due", "cancelled"]);
    for (const name of names) {
      const job = await jobById(store, name);
      assert.deepEqual(
        [job.state, job.attempts, job.lastError, job.nextAttemptAt, job.updatedAt],
        ["pending", 0, null, null, clock.now()],
      );
    }
    assert.equal((await store.attempts("completed")).length, 1);
    assert.equal(await store.deaths(), 1);
    const claims = await claim(store, worker, 10);
    assert.deepEqual(claims.find(({ id }) => id === "failed")?.attempt, 1);
    assert.deepEqual(claims.find(({ id }) => id === "failed")?.run, 2);
    assert.equal(claims.length, 6);
  });

  test("retry of jobs that wait or run is a conflict that tells all of them, and changes none", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    await assert.rejects(store.retry(["pending"]), told("conflict", '"pending"', "its state is pending"));
    await assert.rejects(
      store.retry(["dead", "pending", "proc"]),
      told("conflict", "2 jobs cannot be retried", '"pending" is pending', '"processing" is processing'),
    );
    await assert.rejects(store.retry(["dead", "unknown"]), told("not_found", "unknown"));
    assert.equal((await jobById(store, "dead")).state, "dead");
    assert.deepEqual((await store.retry([])).ids, []);
  });

  test("retry by a filter takes those of its states, all or none of them", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    assert.deepEqual((await store.retry({ kinds: ["pending", "processing"] })).ids, []);
    assert.deepEqual((await store.retry({ search: "no such" })).ids, []);
    assert.deepEqual((await store.retry({ kinds: ["scheduled"] })).ids, ["failed"]);
    assert.deepEqual((await store.retry({ kinds: ["waiting"] })).ids, ["due"]);
    assert.deepEqual((await store.retry({ search: "make" })).ids, ["completed"]);
    assert.deepEqual((await store.retry({})).ids, ["dead", "cancelled"]);
    assert.deepEqual((await store.retry("all")).ids, []);
    assert.deepEqual((await store.counts()).pending, 6);
  });

  test("a retry changes the jobs on the way, and wakes workers", async ({ store, connect }) => {
    await addDead(store, "a", "b");
    const other = await connect();
    other.changed();
    assert.deepEqual((await store.dlqRetry("all", { maxRetries: 0, env: { A: "1" } })).ids, ["a", "b"]);
    assert.deepEqual((await store.list({ limit: 9 })).map(({ maxRetries, env }) => [maxRetries, env]), [
      [0, { A: "1" }],
      [0, { A: "1" }],
    ]);
    const worker = await join(store);
    for (const run of await claim(store, worker, 2)) await end(store, worker, run, failure);
    assert.equal((await store.counts()).dead, 2);
    assert.equal(await store.deaths(), 4);
  });

  test("dlqRetry and dlqPurge by a filter touch dead jobs alone", async (subject) => {
    const { store, clock } = subject;
    await addOneOfEach(subject);
    clock.advance(60_000);
    await addDead(store, "younger", "youngest");
    const old = { unchangedSince: { ago: 30_000 } };
    assert.deepEqual((await store.dlqPurge({ ...old, search: "zzz" })).ids, []);
    assert.deepEqual((await store.dlqPurge(old)).ids, ["dead"]);
    assert.deepEqual((await store.dlqRetry({ search: "gest" })).ids, ["youngest"]);
    assert.deepEqual((await store.dlqRetry({ kinds: ["completed"] })).ids, []);
    assert.deepEqual(ids(await store.list({ kinds: ["dead"], limit: 9 })), ["younger"]);
  });

  test("cancel by a filter takes those that wait or run", async (subject) => {
    const { store } = subject;
    const { worker } = await addOneOfEach(subject);
    assert.deepEqual((await store.cancel({ kinds: ["completed", "dead"] })).ids, []);
    assert.partialDeepStrictEqual(await store.cancel({ kinds: ["scheduled"] }), {
      ids: ["failed"],
      running: [],
    });
    assert.partialDeepStrictEqual(await store.cancel("all"), {
      ids: ["due", "processing", "pending"],
      running: ["processing"],
    });
    assert.equal((await store.exchange(worker, [], 9)).cancel.length, 1);
    assert.deepEqual(await store.counts(), {
      pending: 0,
      processing: 1,
      completed: 1,
      failed: 0,
      dead: 1,
      cancelled: 4,
    });
  });

  test("cancel of several jobs that have ended tells all of them", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    await assert.rejects(
      store.cancel(["pending", "dead", "completed"]),
      told("conflict", "2 jobs cannot be cancelled", '"dead" is dead', '"completed" is completed'),
    );
    assert.equal((await jobById(store, "pending")).state, "pending");
  });

  test("the beginning of several ids is told with the first two, and whether there are more", async ({ store }) => {
    await store.enqueue(newJobs("nightly2", "nightly", "other"));
    const words = (named: string) =>
      `Several jobs have ids that begin with "nig": ${named}; give more of the id`;
    await assert.rejects(store.cancel(["nig"]), told("usage", words("nightly, nightly2")));
    await assert.rejects(store.attempts("nig"), told("usage", words("nightly, nightly2")));
    await store.enqueue(newJobs("night"));
    await assert.rejects(store.cancel(["nig"]), told("usage", words("night, nightly, …")));
  });

  test("an unknown id is told with one that was perhaps meant", async ({ store }) => {
    await store.enqueue([
      ...newJobs("nightly2", "nightly", "weekly", "01a20b98-e9fd-7044-af79-15a9e92ed725"),
      newJob("x"),
    ]);
    const cases: Array<[string, string | undefined]> = [
      ["nighly", "nightly"],
      ["mightly", "nightly"],
      ["nightyl", "nightly"],
      ["weelky", "weekly"],
      ["01a20b89-e9fd", "01a20b98-e9fd-7044-af79-15a9e92ed725"],
      ["yearly", undefined],
      ["y", undefined],
      ["", undefined],
    ];
    for (const [typed, meant] of cases) {
      const hint = meant === undefined ? `found with id ${typed}` : `(did you mean "${meant}"?)`;
      await assert.rejects(store.cancel([typed]), (error: Error) => {
        assert.ok(error.message.endsWith(hint), error.message);
        return told("not_found")(error);
      });
      await assert.rejects(store.attempts(typed), told("not_found", hint));
      await assert.rejects(store.dlqRetry([typed]), told("not_found", hint));
    }
    await claimOne(store, await join(store));
  });
}
