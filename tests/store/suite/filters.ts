/** Jobs chosen by queues and tags, on every way to them. */

import assert from "node:assert/strict";
import type { JobState } from "../../../src/job/job.ts";
import type { JobFilter, JobKind, ListedJob } from "../../../src/store/job_filter.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Case, claim, claimOne, end, failure, ids, join, newJob, newJobs, success } from "./harness.ts";

const queues = ["default", "a", "b", "none"];

/** Jobs of several queues with several tags, in every state but cancelled: 60, and `extra` plain ones before them. */
async function addTagged(store: Store, extra: number): Promise<void> {
  await store.enqueue(newJobs(...Array.from({ length: extra }, (_, number) => `plain-${number}`)));
  for (let number = 0; number < 60; number++) {
    await store.enqueue([newJob(`job-${number}`, {
      queue: queues[[0, 1, 1, 2][number % 4]],
      tags: ["all", ...number % 20 === 3 ? ["few"] : [], ...number % 3 === 0 ? ["Some"] : []],
      maxRetries: number % 3,
      priority: number,
      baseBackoff: number % 5,
    })]);
  }
  const worker = await join(store);
  for (let number = 0; number < 30; number++) {
    const run = await claimOne(store, worker);
    if (number % 5 < 4) await end(store, worker, run, number % 2 === 0 ? failure : success);
  }
}

const fits = (job: ListedJob, { queues, tags, kinds }: JobFilter) =>
  (queues === undefined || queues.includes(job.queue)) &&
  (tags ?? []).every((tag) => job.tags.includes(tag)) &&
  (kinds === undefined || kinds.includes(job.state));

export function filterCases(test: Case): void {
  for (const extra of [0, 200]) {
    test(`list takes queues and tags, with states and pages, beside ${extra} other jobs`, async ({ store }) => {
      await addTagged(store, extra);
      const jobs = await store.list({ limit: 1000 });
      const someQueues = [undefined, ["a"], ["default"], ["a", "b"], ["b", "default"], ["none"]];
      const someTags = [undefined, ["all"], ["few"], ["all", "few"], ["few", "Some", "few"], ["some"], [
        "none",
        "all",
      ]];
      const someKinds: Array<JobKind[] | undefined> = [
        undefined,
        ["pending"],
        ["dead"],
        ["completed"],
        ["failed", "dead"],
        ["processing", "completed", "pending"],
      ];
      for (const queues of someQueues) {
        for (const tags of someTags) {
          for (const kinds of someKinds) {
            const filter = { queues, tags, kinds };
            const expected = jobs.filter((job) => fits(job, filter));
            const message = JSON.stringify(filter);
            assert.deepEqual(await store.list({ ...filter, limit: 1000 }), expected, message);
            const newest = await store.list({ ...filter, limit: 3 });
            assert.deepEqual(newest, expected.slice(-3), message);
            if (newest.length === 0) continue;
            const [{ seq }] = newest;
            const before = await store.list({ ...filter, limit: 2, after: { value: seq, seq } });
            assert.deepEqual(before, expected.filter((job) => job.seq < seq).slice(-2), message);
          }
        }
      }
    });
  }

  test("queues and tags go together with every other filter and order", async ({ store, clock }) => {
    await addTagged(store, 10);
    const filter: JobFilter = { queues: ["a"], tags: ["Some"] };
    const of = async (more: JobFilter) => ids(await store.list({ ...filter, ...more, limit: 100 }));
    const all = await of({});
    assert.ok(all.length > 5);
    assert.deepEqual(await of({ search: all[3] }), [all[3]]);
    assert.deepEqual(await of({ createdSince: { ago: 0 } }), all);
    assert.deepEqual(await of({ unchangedSince: { ago: 0 } }), all);
    for (const by of ["priority", "id", "created"] as const) {
      const sorted = await store.list({ ...filter, sort: { by, descending: true }, limit: 100 });
      assert.deepEqual(ids(sorted).toSorted(), all.toSorted());
    }
    const keys = await store.keys({ ...filter, limit: Infinity });
    assert.deepEqual(ids(await store.list({ ...filter, keys: keys.slice(2, 4), limit: 9 })), all.slice(2, 4));
    clock.advance(1);
    assert.deepEqual(await of({ createdSince: { ago: 0 } }), []);
  });

  test("what changes jobs takes queues and tags", async ({ store }) => {
    await addTagged(store, 10);
    const jobs = await store.list({ limit: 1000 });
    const expected = (filter: JobFilter, ...states: JobState[]) =>
      ids(jobs.filter((job) => fits(job, filter) && states.includes(job.state))).toSorted();
    const few = { tags: ["few"] };
    assert.deepEqual(
      (await store.cancel(few)).ids.toSorted(),
      expected(few, "pending", "failed", "processing"),
    );
    const ofB = { queues: ["b"], tags: ["Some", "all"] };
    assert.ok(expected(ofB, "dead").length > 0);
    assert.deepEqual((await store.dlqRetry(ofB)).ids.toSorted(), expected(ofB, "dead"));
    assert.deepEqual(
      (await store.remove({ queues: ["a", "none"], kinds: ["completed"] })).ids.toSorted(),
      expected({ queues: ["a"] }, "completed"),
    );
    assert.deepEqual((await store.remove({ tags: ["none"] })).ids, []);
  });

  test("the names of queues are those that jobs have had, those of tags those that jobs have", async ({ store }) => {
    assert.deepEqual(await store.queueNames(), ["default"]);
    assert.deepEqual(await store.tagNames(10), []);
    await store.enqueue([
      newJob("1", { queue: "b", tags: ["y", "x"] }),
      newJob("2", { queue: "é", tags: ["x"] }),
      newJob("3", { queue: "a" }),
    ]);
    assert.deepEqual(await store.queueNames(), ["a", "b", "default", "é"]);
    assert.deepEqual(await store.tagNames(10), ["x", "y"]);
    assert.deepEqual(await store.tagNames(1), ["x"]);
    await store.remove(["1"]);
    assert.deepEqual(await store.queueNames(), ["a", "b", "default", "é"]);
    assert.deepEqual(await store.tagNames(10), ["x"]);
    assert.deepEqual(ids(await claim(store, await join(store), 5)).length, 2);
  });
}
