/** Cases with so many jobs that they take their time. */

import assert from "node:assert/strict";
import type { NewJob } from "../../../src/job/job.ts";
import {
  type JobFilter,
  type ListedJob,
  type Position,
  positionOf,
  type Sort,
  sortFields,
} from "../../../src/store/job_filter.ts";
import { type Case, ids, newJob, newJobs, type Subject } from "./harness.ts";

export function largeCases(test: Case): void {
  test("intake of 100000 jobs", async ({ store }) => {
    using intake = await store.intake();
    intake.add(Array.from({ length: 100_000 }, (_, number) => newJob(`job-${number}`)));
    assert.equal(await intake.commit(), 100_000);
    assert.equal((await store.counts()).pending, 100_000);
    const listed = await store.list({ limit: 2 });
    assert.deepEqual(ids(listed), ["job-99998", "job-99999"]);
    let seen = 0;
    for (const id of intake.ids()) assert.equal(id, `job-${seen++}`);
    assert.equal(seen, 100_000);
  });

  test("pages of thousands of jobs, most of one value, are those of all of them sorted at once", async (subject) => {
    await comparePages(subject, (number) => ({
      priority: number % 1000 === 500 ? 1 - number % 3 : 0,
      attempts: number % 700 === 11 ? number % 5 : 0,
    }));
  });

  test("pages of thousands of jobs, of many values, are those of all of them sorted at once", async (subject) => {
    await comparePages(subject, (number) => ({ priority: number % 7 - 3, attempts: number % 4 }));
  });

  test("a list is of one moment, however long it takes", async ({ store, clock }) => {
    // Those that are soon due are neither due yet nor scheduled any more, if they are looked for at two times.
    const due = Array.from(
      { length: 200 },
      (_, number) => newJob(`due-${number}`, { delay: 1 + 10 * number }),
    );
    await store.enqueue(due);
    await store.enqueue(newJobs(...Array.from({ length: 11_000 }, (_, number) => `job-${number}`)));
    // Nor is there a page of those that are young enough, if they grow older meanwhile.
    for (let number = 0; number < 100; number++) {
      clock.advance(10);
      await store.enqueue([newJob(`young-${number}`)]);
    }
    clock.advanceByLook(30);
    const sort: Sort = { by: "priority", descending: false };
    const waiting = await store.list({ kinds: ["waiting", "scheduled"], sort, limit: 150 });
    const young = await store.list({
      createdSince: { ago: 2000 },
      sort: { by: "updated", descending: false },
      limit: 50,
    });
    clock.advanceByLook(0);
    assert.deepEqual(ids(waiting), due.slice(0, 150).map(({ id }) => id));
    assert.equal(young.length, 50);
  });

  test("those of very many cancelled jobs that were cancelled last come first", async ({ store, clock }) => {
    const names = Array.from({ length: 12_000 }, (_, number) => `job-${number}`);
    await store.enqueue(names.map((id, number) => newJob(id, { tags: number % 2 === 0 ? ["even"] : [] })));
    // In parts that are all over the keys, and some that have none.
    for (let time = 0; time < 5; time++) {
      clock.advance(60_000);
      await store.cancel(names.filter((_, number) => number % 5 === time * 2 % 5 && number > 1100));
    }
    const all = await store.list({ kinds: ["cancelled"], limit: 20_000 });
    assert.ok(all.length > 10_000);
    const sorted = all.toSorted((a, b) => b.updatedAt - a.updatedAt || b.seq - a.seq);
    const sort: Sort = { by: "updated", descending: true };
    for (const tags of [undefined, ["even"]]) {
      const expected = sorted.filter((job) => tags === undefined || job.tags.includes("even"));
      for (const place of [undefined, 3, 5000]) {
        const last = place === undefined ? undefined : expected[place];
        const after = last && { value: last.updatedAt, seq: last.seq };
        const found = await store.list({ kinds: ["cancelled"], tags, sort, after, limit: 70 });
        const start = place === undefined ? 0 : place + 1;
        assert.deepEqual(ids(found), ids(expected.slice(start, start + 70)), `${tags} behind ${place}`);
      }
    }
  });

  test("a clock that was set back by days hides no job from a page", async ({ store, clock }) => {
    await store.enqueue(newJobs(...Array.from({ length: 11_000 }, (_, number) => `job-${number}`)));
    clock.advance(-2 * 86_400_000);
    const late = Array.from({ length: 6 }, (_, number) => `late-${number}`);
    await store.enqueue(newJobs(...late));
    const page = await store.list({ sort: { by: "updated", descending: false }, limit: 5 });
    assert.deepEqual(ids(page), late.slice(0, 5));
  });
}

/** Compares pages in every order with all jobs sorted at once; of each job by its number are some values. */
async function comparePages(
  { store, clock }: Subject,
  valuesOf: (number: number) => Pick<NewJob, "priority" | "attempts">,
): Promise<void> {
  // So many that not all of a state are sorted, and more than are walked at once.
  const count = 11_000;
  const quarter = count / 4;
  const names = Array.from({ length: count }, (_, number) => `job-${number * 7919 % count}`);
  const jobs = names.map((id, number) =>
    newJob(id, {
      ...valuesOf(number),
      command: number % 12 === 7 ? "seldom" : "often",
      tags: number % 2 === 0 ? ["even"] : [],
      queue: number % 3 === 0 ? "third" : "default",
    })
  );
  // The clock is set back once.
  const [hour, day] = [3_600_000, 86_400_000];
  let setBack = 0;
  for (const [part, next] of [3 * day, -hour, 3 * day, 1000].entries()) {
    if (part === 2) setBack = clock.now();
    await store.enqueue(jobs.slice(part * quarter, (part + 1) * quarter));
    clock.advance(next);
  }
  await store.cancel(names.filter((_, number) => number % 7 === 3));
  const all = await store.list({ limit: count });
  const filters: Array<[JobFilter, (job: ListedJob) => boolean]> = [
    [{}, () => true],
    [{ search: "seldom" }, ({ command }) => command === "seldom"],
    [
      { tags: ["even"], queues: ["default"] },
      ({ tags, queue }) => tags.includes("even") && queue === "default",
    ],
    [{ kinds: ["pending"] }, ({ state }) => state === "pending"],
    // So few that some are not among the first of either state.
    [{ kinds: ["pending", "cancelled"], search: "seldom" }, ({ command }) => command === "seldom"],
    [{ kinds: ["pending", "cancelled"], tags: ["even"] }, ({ tags }) => tags.includes("even")],
    [
      { kinds: ["cancelled"], queues: ["third"] },
      ({ state, queue }) => state === "cancelled" && queue === "third",
    ],
    [
      { queues: ["third"], kinds: ["pending", "failed"] },
      ({ state, queue }) => state === "pending" && queue === "third",
    ],
    [{ unchangedSince: { at: setBack } }, ({ updatedAt }) => updatedAt <= setBack],
  ];
  for (const by of sortFields) {
    for (const descending of [false, true]) {
      const compare = (a: ListedJob, b: ListedJob) => {
        const [first, second] = [a, b].map((job) => positionOf(job, by));
        const way = first.value < second.value ? -1 : first.value > second.value ? 1 : 0;
        const isDown = descending && !(way === 0 && by === "priority");
        return (way === 0 ? first.seq - second.seq : way) * (isDown ? -1 : 1);
      };
      for (const [filter, holds] of filters) {
        const expected = all.filter(holds).toSorted(compare).slice(0, 1500);
        const pages: string[] = [];
        let after: Position | undefined;
        while (pages.length < expected.length) {
          const page = await store.list({ ...filter, sort: { by, descending }, after, limit: 500 });
          if (page.length === 0) break;
          pages.push(...ids(page));
          after = positionOf(page.at(-1)!, by);
        }
        assert.deepEqual(pages, ids(expected), JSON.stringify([filter, by, descending]));
      }
    }
  }
}
