/** Jobs that are found by their texts, with and without the search index. */

import assert from "node:assert/strict";
import type { NewJob } from "../../../src/job/job.ts";
import type { JobFilter, ListedJob, ListFilter, SortField } from "../../../src/store/selection.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Case, claim, end, failure, finished, ids, join, newJob, success } from "./harness.ts";

/** Extends the search index as far as it goes; how many steps that took. */
export async function indexAll(store: Store): Promise<number> {
  let steps = 0;
  while (await store.extendSearchIndex()) steps++;
  return steps;
}

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
  test("search finds the same at every step of the index", async ({ store }) => {
    await addMany(store, jobs(4000));
    const worker = await join(store, { concurrency: 600 });
    for (const [index, run] of (await claim(store, worker, 600)).entries()) {
      await end(store, worker, run, index % 2 === 0 ? failure : success);
    }
    await assertFound(store, ["needle", "zzz", "98-E9fd-", "q"]);
    assert.equal(await store.extendSearchIndex(), true);
    await assertFound(store, ["needle", "zzz", "job-3", "q"]);
    assert.equal(await indexAll(store), 2);
    assert.equal(await store.extendSearchIndex(), false);
    await assertFound(store);
    await addMany(store, jobs(1500, 4000));
    await assertFound(store, ["needle", "e_4507", "zzz", "job-5499", "4096"]);
    assert.equal(await indexAll(store), 2);
    await assertFound(store, ["needle", "e_4507", "zzz", "job-5499", "4096"]);
    assert.deepEqual(await store.check(), []);
  });

  test("search finds what was edited after it was indexed", async ({ store }) => {
    await addMany(store, jobs(2100));
    await indexAll(store);
    const [first, second] = await store.list({ limit: 2, sort: { by: "created", descending: false } });
    assert.deepEqual(await store.list({ search: "Hay/stack", limit: 5 }), []);
    await store.edit([first.id, second.id], { command: "find hay/STACK" });
    assert.deepEqual(ids(await store.list({ search: "Hay/stack", limit: 5 })), [first.id, second.id]);
    await store.edit([first.id], { command: "true" });
    assert.deepEqual(ids(await store.list({ search: "y/stack", limit: 5 })), [second.id]);
    await store.cancel([first.id]);
    await store.retry([first.id], { command: "find it/again" });
    assert.deepEqual(ids(await store.list({ search: "it/again", limit: 5 })), [first.id]);
  });

  test("what is done to jobs with a text is done to all of them, and no others", async ({ store }) => {
    await addMany(store, jobs(3100));
    await indexAll(store);
    assert.deepEqual(await store.cancel({ search: "zzz" }), []);
    const needles = (await store.list({ search: "needle", limit: 10 })).map(({ id }) => id);
    assert.equal(needles.length, 3);
    assert.deepEqual(await store.hold({ search: "needle_7" }), needles.slice(0, 1));
    assert.deepEqual((await store.cancel({ search: "NEEDLE" })).map(({ id }) => id), needles);
    assert.deepEqual(await store.retry({ search: "needle_1507" }), needles.slice(1, 2));
    assert.deepEqual(await store.remove({ search: "needle", kinds: ["cancelled"] }), [
      needles[0],
      needles[2],
    ]);
    assert.deepEqual(ids(await store.list({ search: "needle", limit: 10 })), needles.slice(1, 2));
  });

  test("search goes on where parts of the jobs are removed", async ({ store }) => {
    await addMany(store, jobs(5000));
    await indexAll(store);
    const all = await store.list({ limit: 10_000 });
    await store.remove(ids(all.filter(({ seq }) => seq > 1000 && seq < 3500)));
    await assertFound(store, ["needle", "zzz", "job-4999", "98-E9fd-"]);
    await store.remove(ids(all.filter(({ seq }) => seq >= 3500)));
    await assertFound(store, ["needle", "zzz", "job-998"]);
    // Keys are not given a second time.
    await addMany(store, jobs(2500, 5000));
    await assertFound(store, ["needle", "job-7499"]);
    assert.ok(await indexAll(store) > 0);
    await assertFound(store, ["needle", "job-7499", "zzz"]);
    await store.remove({});
    assert.deepEqual(await store.list({ search: "needle", limit: 10 }), []);
    await addMany(store, jobs(10));
    await assertFound(store, ["needle"]);
  });

  test("commands that are too long to be signed are searched all the same", async ({ store }) => {
    const long = "x".repeat(60_000);
    await addMany(
      store,
      jobs(2100).map((job, index) => index < 30 ? { ...job, command: `echo ${long}${index}` } : job),
    );
    assert.equal(await indexAll(store), 2);
    assert.deepEqual((await store.list({ search: "xx7", limit: 10 })).length, 1);
    assert.deepEqual((await store.list({ search: "needle", limit: 10 })).length, 1);
    await store.edit([(await store.list({ search: "xx7", limit: 1 }))[0].id], { command: "short again" });
    assert.equal((await store.list({ search: "short", limit: 10 })).length, 1);
  });

  test("several processes extend the index at once", async ({ store, connect }) => {
    await addMany(store, jobs(8000));
    const stores = [store, await connect(), await connect()];
    await Promise.all(stores.map(indexAll));
    while (await indexAll(store) > 0);
    await assertFound(store, ["needle", "zzz", "e_7507"]);
    await Promise.all([
      ...stores.map(indexAll),
      addMany(await connect(), jobs(3000, 8000)),
      ...["Job-7", "Job-14", "Job-22"].map((id, number) =>
        stores[number].edit([id], { command: `pin ${number}` })
      ),
    ]);
    await indexAll(store);
    await assertFound(store, ["needle", "pin", "e_10507"]);
  });

  test("jobs that came since a time are found where others came and changed since", async ({ store, clock }) => {
    await addMany(store, jobs(3000));
    clock.advance(3_600_000);
    await addMany(store, jobs(10, 3000));
    await indexAll(store);
    const worker = await join(store);
    const runs = await claim(store, worker, 50);
    clock.advance(1000);
    await store.exchange(worker, runs.map((run) => finished(run, success)), 0);
    // A clock that was set back.
    clock.advance(-7_200_000);
    await addMany(store, jobs(2000, 3010));
    clock.advance(7_200_000);
    await indexAll(store);
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
