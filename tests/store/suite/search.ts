/** Jobs that are found by their texts. */

import assert from "node:assert/strict";
import type { NewJob } from "../../../src/job/job.ts";
import type { JobFilter, ListedJob, ListFilter, SortField } from "../../../src/store/job_filter.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Case, claim, end, failure, finished, ids, join, newJob, success } from "./harness.ts";

/** Adds many jobs at once. */
async function addMany(store: Store, jobs: readonly NewJob[]): Promise<void> {
  using intake = await store.intake();
  intake.add(jobs);
  await intake.commit();
}

const uuid = (number: number) => `01a20b98-e9fd-7044-af79-${number.toString(16).padStart(12, "0")}`;

/** Jobs with words that are rare in their commands and ids, each third one with a UUID for its id. */
const jobs = (count: number, from = 0): NewJob[] =>
  Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return newJob(number % 3 === 0 ? uuid(number * 7919) : `Job-${number}`, {
      command: number % 1500 === 7 ? `echo needle_${number} é100%` : `./convert.sh photos/${number}.jpg`,
      priority: number % 5,
      tags: number % 2 === 0 ? ["even"] : [],
      queue: number % 7 === 0 ? "other" : "default",
      maxRetries: 0,
    });
  });

const sought = [
  "needle",
  "NEEDLE_30",
  "e_3007",
  "job-2999",
  "photos/2999.",
  "é100%",
  "%",
  "_",
  "zzz",
  "q",
  "98-E9fd-",
  "9fa",
  "ab",
  "0000001",
  "2048",
];

const holds = ({ id, command }: ListedJob, text: string) =>
  [id, command].some((each) => each.toLowerCase().includes(text.toLowerCase()));

/** What lists say is what a look at all jobs says, in every order, by pages, with other filters. */
async function assertFound(store: Store, texts: readonly string[] = sought): Promise<void> {
  const all = await store.list({ limit: 100_000 });
  const filters: JobFilter[] = [{}, { kinds: ["dead"] }, { kinds: ["pending", "completed"] }, {
    tags: ["even"],
  }, {
    queues: ["other"],
  }, { kinds: ["waiting"], queues: ["default"] }];
  for (const search of texts) {
    for (const filter of filters) {
      const expected = all.filter((job) =>
        holds(job, search) && (filter.tags === undefined || job.tags.includes("even")) &&
        (filter.queues === undefined || filter.queues.includes(job.queue)) &&
        (filter.kinds === undefined ||
          filter.kinds.some((kind) => kind === job.state || kind === "waiting" && job.state === "pending"))
      );
      const message = JSON.stringify({ search, ...filter });
      const of = (more: Omit<ListFilter, keyof JobFilter>) => store.list({ ...filter, search, ...more });
      assert.deepEqual(ids(await of({ limit: Infinity })), ids(expected), message);
      assert.deepEqual(ids(await of({ limit: 2 })), ids(expected.slice(-2)), message);
      const middle = expected[Math.floor(expected.length / 2)];
      if (middle === undefined) continue;
      const after = { value: middle.seq, seq: middle.seq };
      const older = expected.filter(({ seq }) => seq < middle.seq).slice(-3);
      assert.deepEqual(ids(await of({ limit: 3, after })), ids(older), message);
      const page = await store.pageOfKeys({ ...filter, search, limit: 2 });
      assert.deepEqual(page.keys, expected.slice(-2).map(({ seq }) => seq), message);
      assert.equal(page.end !== null, expected.length > 2, message);
    }
    for (const by of ["created", "updated", "priority", "attempts", "state", "id"] as SortField[]) {
      const expected = all.filter((job) => holds(job, search));
      const found = await store.keys({ search, sort: { by, descending: false }, limit: Infinity });
      assert.deepEqual(found.toSorted((a, b) => a - b), expected.map(({ seq }) => seq), `${search} by ${by}`);
      const first = await store.list({ search, sort: { by, descending: false }, limit: 3 });
      assert.deepEqual(first.map(({ seq }) => seq), found.slice(0, 3), `${search} by ${by}`);
    }
  }
}

export function searchCases(test: Case): void {
  test("search finds all jobs with a text, in every order and with every filter", async ({ store }) => {
    await addMany(store, jobs(4000));
    const worker = await join(store, { concurrency: 600 });
    for (const [index, run] of (await claim(store, worker, 600)).entries()) {
      await end(store, worker, run, index % 2 === 0 ? failure : success);
    }
    await assertFound(store);
    const all = await store.list({ limit: 10_000 });
    await store.remove(ids(all.filter(({ seq }) => seq > 1000 && seq < 3500)));
    await assertFound(store, ["needle", "zzz", "job-3999", "98-E9fd-"]);
  });

  test("search finds a command as it was changed", async ({ store }) => {
    await addMany(store, jobs(10));
    const [first, second] = await store.list({ limit: 2, sort: { by: "created", descending: false } });
    assert.deepEqual(await store.list({ search: "Hay/stack", limit: 5 }), []);
    await store.edit([first.id, second.id], { command: "find hay/STACK" });
    assert.deepEqual(ids(await store.list({ search: "Hay/stack", limit: 5 })), [first.id, second.id]);
    await store.cancel([first.id]);
    await store.retry([first.id], { command: "find it/again" });
    assert.deepEqual(ids(await store.list({ search: "it/again", limit: 5 })), [first.id]);
    assert.deepEqual(ids(await store.list({ search: "y/stack", limit: 5 })), [second.id]);
  });

  test("what is done to jobs with a text is done to all of them, and no others", async ({ store }) => {
    await addMany(store, jobs(3100));
    assert.deepEqual((await store.cancel({ search: "zzz" })).ids, []);
    const needles = (await store.list({ search: "needle", limit: 10 })).map(({ id }) => id);
    assert.equal(needles.length, 3);
    assert.deepEqual((await store.hold({ search: "needle_7" })).ids, needles.slice(0, 1));
    assert.deepEqual((await store.cancel({ search: "NEEDLE" })).ids, needles);
    assert.deepEqual((await store.retry({ search: "needle_1507" })).ids, needles.slice(1, 2));
    assert.deepEqual((await store.remove({ search: "needle", kinds: ["cancelled"] })).ids, [
      needles[0],
      needles[2],
    ]);
    assert.deepEqual(ids(await store.list({ search: "needle", limit: 10 })), needles.slice(1, 2));
  });

  test("jobs that came since a time are found where others came and changed since", async ({ store, clock }) => {
    await addMany(store, jobs(3000));
    clock.advance(3_600_000);
    await addMany(store, jobs(10, 3000));
    const worker = await join(store);
    const runs = await claim(store, worker, 50);
    clock.advance(1000);
    await store.exchange(worker, runs.map((run) => finished(run, success)), 0);
    // A clock that was set back.
    clock.advance(-7_200_000);
    await addMany(store, jobs(2000, 3010));
    clock.advance(7_200_000);
    const all = await store.list({ limit: 10_000 });
    const count = (ago: number) => all.filter(({ createdAt }) => createdAt >= clock.now() - ago).length;
    for (const ago of [0, 1000, 60_000, 3_600_000, 3_601_000, 7_200_000, 7_201_000, 9_000_000]) {
      for (const sort of [undefined, { by: "priority", descending: true } as const]) {
        const found = await store.list({ createdSince: { ago }, sort, limit: 10_000 });
        assert.equal(found.length, count(ago), `${ago}`);
      }
    }
  });
}
