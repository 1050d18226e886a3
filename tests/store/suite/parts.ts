/** Changes of many jobs, part by part. */

import assert from "node:assert/strict";
import type { NewJob } from "../../../src/job/job.ts";
import type { Changed, Selection, Store } from "../../../src/store/store.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import { type Case, newJob } from "./harness.ts";

const count = 5000;

/** Adds jobs, the oldest of which is named `job-0`. */
async function addJobs(
  store: Store,
  fields: (number: number) => Partial<NewJob> = () => ({}),
): Promise<void> {
  using intake = await store.intake();
  intake.add(Array.from({ length: count }, (_, number) => newJob(`job-${number}`, fields(number))));
  await intake.commit();
}

const all: Selection = { kinds: ["pending"] };

/** The changes that take a filter, and how many jobs each of them has done so far. */
const changes: Record<
  string,
  { change: (store: Store) => Promise<Changed>; done: (store: Store) => Promise<number> }
> = {
  cancel: { change: (store) => store.cancel(all), done: async (store) => (await store.counts()).cancelled },
  hold: { change: (store) => store.hold(all), done: async (store) => (await store.keptBack()).held },
  remove: { change: (store) => store.remove(all), done: async (store) => count - (await left(store)) },
  move: {
    change: (store) => store.moveJobs(all, "other"),
    done: async (store) => (await store.queues()).find(({ name }) => name === "other")?.counts.pending ?? 0,
  },
};

/** How many of the first jobs are there. */
const left = async (store: Store) => (await store.keys({ search: "job-", limit: Infinity })).length;

export function partCases(test: Case): void {
  for (const [name, { change, done }] of Object.entries(changes)) {
    test(`${name} of a filter lets others in between, and leaves jobs that came later`, async (subject) => {
      const { store } = subject;
      await addJobs(store);
      const other = await subject.connect();
      const changing = change(store);
      const first = await waitFor("the first part", () => done(other));
      assert.ok(first < count, `${first} jobs at once`);
      await other.enqueue([newJob("later")]);
      const { ids } = await changing;
      assert.deepEqual([ids.length, new Set(ids).size, await done(other)], [count, count, count]);
      const { job } = await other.detail("later");
      assert.deepEqual([job.state, job.held, job.queue], ["pending", false, "default"]);
    });
  }

  for (const [name, kind] of [["cancel", "after"], ["cancel", "afterAny"], ["remove", "after"]] as const) {
    test(`${name} of a filter takes dependants (${kind}) as jobs of their own, wherever they are`, async ({ store }) => {
      // The first half waits for the second one, but for the last job, which waits for the first.
      const half = count / 2;
      const parents = (number: number) =>
        number < half ? [`job-${number + half}`] : number === count - 1 ? [`job-${half}`] : [];
      await addJobs(store, (number) => ({ [kind]: parents(number) }));
      const { ids, effects } = await store[name](all);
      assert.deepEqual([new Set(ids).size, effects.dependants], [count, 0]);
      const { cancelled } = await store.counts();
      assert.deepEqual([cancelled, await left(store)], name === "cancel" ? [count, count] : [0, 0]);
      assert.deepEqual(await store.check(), []);
    });
  }

  test("retry of many jobs: the newest of a key, none whose parent failed", async (subject) => {
    const { store } = subject;
    // Every second job waits for the one before; the last ones share their keys with the first ones.
    await addJobs(store, (number) => ({
      ...number % 2 === 1 && { after: [`job-${number - 1}`] },
      ...number < 10 && { uniqueKey: `first-${number}` },
    }));
    const { ids: cancelled, effects } = await store.cancel({ kinds: ["pending"] });
    assert.equal(cancelled.length + effects.dependants, count);
    const newest = Array.from({ length: 10 }, (_, number) => `newest-${number}`);
    for (const [number, id] of newest.entries()) {
      await store.enqueue([newJob(id, { uniqueKey: `first-${number}` })]);
      await store.cancel([id]);
    }
    const { ids, effects: { dependants, keyTaken, parentFailed } } = await store.retry({
      kinds: ["cancelled"],
    });
    assert.deepEqual(ids.slice(-10), newest);
    // Of the first ten each has lost its key, or waits for one that has.
    assert.deepEqual([ids.length + dependants, keyTaken + parentFailed], [count, 10]);
    const { pending, cancelled: rest } = await store.counts();
    assert.deepEqual([pending, rest], [count, 10]);
    assert.deepEqual(await store.check(), []);
  });
}
