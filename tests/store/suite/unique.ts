/** Jobs with unique keys: at most one of each waits or runs. */

import assert from "node:assert/strict";
import type { DuplicatePolicy, NewJob } from "../../../src/job/job.ts";
import type { Enqueued, Store } from "../../../src/store/store.ts";
import {
  addDead,
  type Case,
  claimOne,
  end,
  failure,
  ids,
  jobById,
  join,
  newJob,
  success,
  told,
} from "./harness.ts";

const keyed = (id: string, onDuplicate?: DuplicatePolicy, fields: Partial<NewJob> = {}) =>
  newJob(id, { uniqueKey: "k", onDuplicate, ...fields });

/** The two ways into the queue, with what became of the jobs. */
const ways: Array<[string, (store: Store, jobs: NewJob[]) => Promise<Enqueued[]>]> = [
  ["enqueue", (store, jobs) => store.enqueue(jobs)],
  ["intake", async (store, jobs) => {
    using intake = await store.intake();
    intake.add(jobs);
    await intake.commit();
    return [...intake.results()];
  }],
];

const states = async (store: Store) =>
  Object.fromEntries((await store.list({ limit: 100 })).map(({ id, state }) => [id, state]));

export function uniqueCases(test: Case): void {
  for (const [way, add] of ways) {
    test(`${way} tells of the job that is kept also where it has the same id`, async ({ store }) => {
      await store.enqueue([newJob("p"), keyed("a")]);
      const again = { id: "a", existing: true };
      assert.deepEqual(await add(store, [keyed("a", "keep")]), [again]);
      assert.deepEqual(await add(store, [keyed("a", "keep", { after: ["p"] })]), [again]);
    });

    test(`${way} rejects a job whose key another one has, until that has ended`, async ({ store }) => {
      const worker = await join(store);
      assert.deepEqual(await add(store, [keyed("a"), newJob("other", { uniqueKey: "K", priority: -1 })]), [
        { id: "a", existing: false },
        { id: "other", existing: false },
      ]);
      await assert.rejects(
        add(store, [newJob("x"), keyed("b")]),
        told("conflict", 'Job "a" with the unique key "k" waits already (state pending); nothing was stored'),
      );
      const first = await claimOne(store, worker);
      await assert.rejects(add(store, [keyed("b", "reject")]), told("conflict", '"a"', '"k" runs already'));
      await end(store, worker, first, failure);
      await assert.rejects(add(store, [keyed("b")]), told("conflict", "(state failed)"));
      assert.deepEqual(await states(store), { a: "failed", other: "pending" });
      await store.cancel(["a"]);
      assert.deepEqual(await add(store, [keyed("b")]), [{ id: "b", existing: false }]);
      await end(store, worker, await claimOne(store, worker), success);
      await add(store, [keyed("c")]);
    });

    test(`${way} keeps the job that has the key, and tells its id`, async ({ store }) => {
      const worker = await join(store);
      await add(store, [keyed("a", "keep", { priority: 1 })]);
      const jobs = [
        newJob("x", { queue: "q" }),
        keyed("b", "keep", { queue: "nowhere", tags: ["t"] }),
        newJob("y"),
      ];
      assert.deepEqual(await add(store, jobs), [
        { id: "x", existing: false },
        { id: "a", existing: true },
        { id: "y", existing: false },
      ]);
      await claimOne(store, worker);
      // The same command once more, with the same id.
      assert.deepEqual((await add(store, [keyed("a", "keep")])).map(({ id }) => id), ["a"]);
      assert.deepEqual(await states(store), { a: "processing", x: "pending", y: "pending" });
      assert.deepEqual(await store.queueNames(), ["default", "q"]);
      assert.deepEqual(await store.tagNames(9), []);
    });

    test(`${way} replaces the job that has the key and waits, not one that runs`, async ({ store }) => {
      const worker = await join(store);
      await add(store, [keyed("a", undefined, { queue: "q", held: true })]);
      assert.deepEqual(await add(store, [newJob("x", { priority: -1 }), keyed("b", "replace")]), [
        { id: "x", existing: false },
        { id: "b", existing: false },
      ]);
      const { state, lastError, held } = await jobById(store, "a");
      assert.deepEqual([state, lastError, held], ["cancelled", 'Replaced by job "b"', false]);
      const run = await claimOne(store, worker);
      assert.equal(run.id, "b");
      await assert.rejects(
        add(store, [newJob("y"), keyed("c", "replace")]),
        told("conflict", '"b"', "runs already"),
      );
      await end(store, worker, run, failure);
      await add(store, [keyed("c", "replace")]);
      assert.deepEqual(await states(store), { a: "cancelled", x: "pending", b: "cancelled", c: "pending" });
      assert.equal((await jobById(store, "b")).nextAttemptAt, null);
      // Whose id is taken as well gets nothing.
      await assert.rejects(add(store, [keyed("c", "replace")]), told("conflict", '"c"'));
      assert.equal((await states(store)).c, "pending");
    });

    test(`${way} takes jobs of one key at once as if they came one after the other`, async ({ store }) => {
      await assert.rejects(
        add(store, [keyed("a"), newJob("x"), keyed("b")]),
        told("conflict", 'Jobs "a" and "b" have the same unique key "k"; nothing was stored'),
      );
      assert.deepEqual(await store.list({ limit: 9 }), []);
      assert.deepEqual(
        await add(store, [
          newJob("x"),
          keyed("a", "keep"),
          keyed("b", "keep"),
          newJob("y", { uniqueKey: "y" }),
          keyed("c", "replace"),
          keyed("d", "replace", { tags: ["t"] }),
          keyed("e", "keep"),
        ]),
        [
          { id: "x", existing: false },
          { id: "a", existing: false },
          { id: "a", existing: true },
          { id: "y", existing: false },
          { id: "c", existing: false },
          { id: "d", existing: false },
          { id: "d", existing: true },
        ],
      );
      assert.deepEqual(await states(store), {
        x: "pending",
        a: "cancelled",
        y: "pending",
        c: "cancelled",
        d: "pending",
      });
      assert.equal((await jobById(store, "a")).lastError, 'Replaced by job "c"');
      assert.equal((await jobById(store, "c")).lastError, 'Replaced by job "d"');
      assert.deepEqual(ids(await store.list({ kinds: ["pending"], limit: 9 })), ["x", "y", "d"]);
      assert.deepEqual(await add(store, [keyed("f", "replace"), keyed("g", "keep")]), [
        { id: "f", existing: false },
        { id: "f", existing: true },
      ]);
      assert.equal((await jobById(store, "d")).lastError, 'Replaced by job "f"');
    });
  }

  test("of two at once with one key exactly one is stored", async ({ store, connect }) => {
    const others = await Promise.all([store, ...Array.from({ length: 3 }, connect)]);
    for (const policy of ["reject", "keep"] as const) {
      for (let round = 0; round < 8; round++) {
        const key = `${policy}-${round}`;
        const ends = await Promise.allSettled(
          others.map((each, index) =>
            each.enqueue([newJob(`${key}-${index}`, { uniqueKey: key, onDuplicate: policy })])
          ),
        );
        const listed = (await store.list({ limit: 1000 })).filter(({ uniqueKey }) => uniqueKey === key);
        assert.equal(listed.length, 1);
        for (const [index, end] of ends.entries()) {
          const isStored = listed[0].id === `${key}-${index}`;
          if (end.status === "rejected") {
            assert.ok(!isStored && policy === "reject" && told("conflict", key)(end.reason));
          } else assert.deepEqual(end.value, [{ id: listed[0].id, existing: !isStored }]);
          if (policy === "reject") assert.equal(end.status, isStored ? "fulfilled" : "rejected");
        }
      }
    }
  });

  test("a job that has ended does not come back beside another one with its key", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([keyed("a", undefined, { maxRetries: 0 })]);
    await end(store, worker, await claimOne(store, worker), failure);
    await store.enqueue([keyed("b")]);
    await store.cancel(["b"]);
    await assert.rejects(store.retry(["a", "b"]), told("conflict", 'Jobs "a" and "b"', '"k"'));
    await store.enqueue([keyed("c")]);
    const refused = told("conflict", '"a" cannot go back', '"c"', '"k"', "pending");
    await assert.rejects(store.retry(["a"]), refused);
    assert.deepEqual((await store.dlqRetry("all")).ids, []);
    assert.deepEqual(await states(store), { a: "dead", b: "cancelled", c: "pending" });
    await store.cancel(["c"]);
    assert.deepEqual((await store.dlqRetry(["a"])).ids, ["a"]);
    // One that waits for its retry has the key itself.
    await end(store, worker, await claimOne(store, worker), { kind: "exited", code: 75 });
    assert.equal((await jobById(store, "a")).state, "pending");
    await addDead(store, "plain");
    assert.deepEqual((await store.dlqRetry("all")).ids, ["plain"]);
  });

  test("of a filter the newest of each key goes back, and none beside a job that has its key", async ({ store }) => {
    const key = (uniqueKey: string) => ({ uniqueKey });
    for (
      const job of [newJob("a1", key("a")), newJob("a2", key("a")), newJob("b", key("b")), newJob("plain")]
    ) {
      await store.enqueue([job]);
      await store.cancel([job.id]);
    }
    await store.enqueue([newJob("holder", key("b"))]);
    // Waits for one that is left, and so is left too.
    await store.enqueue([newJob("child", { after: ["a1"] }), newJob("other", { after: ["a2"] })]);
    const effects = { dependants: 0, stay: 0, keyTaken: 2, parentFailed: 1 };
    assert.deepEqual(await store.retry({ kinds: ["cancelled"] }), {
      ids: ["a2", "plain", "other"],
      effects,
    });
    assert.deepEqual(await states(store), {
      a1: "cancelled",
      a2: "pending",
      b: "cancelled",
      plain: "pending",
      holder: "pending",
      child: "cancelled",
      other: "pending",
    });
    assert.equal((await jobById(store, "child")).lastError, 'Job "a1" that it waits for is cancelled');
    assert.deepEqual(await store.retry("all"), { ids: [], effects });
  });

  test("of a filter one that waits for its retry keeps its key", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([keyed("a")]);
    await end(store, worker, await claimOne(store, worker), failure);
    await store.enqueue([keyed("b", "replace")]);
    await store.cancel(["b"]);
    await store.enqueue([keyed("c")]);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual((await store.retry({ kinds: ["failed", "cancelled"] })).ids, ["c"]);
  });

  test("many jobs with keys", async ({ store }) => {
    using intake = await store.intake();
    for (let number = 0; number < 5000; number++) {
      intake.add([newJob(`job-${number}`, { uniqueKey: `key ${number % 4000}`, onDuplicate: "keep" })]);
    }
    assert.equal(await intake.commit(), 4000);
    assert.deepEqual([...intake.ids()].slice(3999, 4001), ["job-3999", "job-0"]);
    assert.equal((await store.counts()).pending, 4000);
  });
}
