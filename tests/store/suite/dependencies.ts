/** Jobs that wait for others: until those are completed, or have ended. */

import assert from "node:assert/strict";
import type { Claim, JobState, NewJob } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import {
  addDead,
  type Case,
  claim,
  claimOne,
  end,
  failure,
  finished,
  handedBack,
  ids,
  jobById,
  join,
  newJob,
  newJobs,
  success,
  told,
} from "./harness.ts";

const lease = 3_600_000;

const after = (id: string, ...parents: string[]) => newJob(id, { after: parents });
const afterAny = (id: string, ...parents: string[]) => newJob(id, { afterAny: parents });

/** `[state, blocked, last error]` of a job. */
async function view(store: Store, id: string): Promise<[JobState, number, string | null]> {
  const { state, blocked, lastError } = await jobById(store, id);
  return [state, blocked, lastError];
}

async function states(store: Store): Promise<Record<string, JobState>> {
  return Object.fromEntries((await store.list({ limit: 1000 })).map(({ id, state }) => [id, state]));
}

const words = (parent: string, how: string) => `Job "${parent}" that it waits for ${how}`;

/** Brings a job that may be claimed into a state. */
async function bring(store: Store, worker: number, id: string, state: JobState): Promise<void> {
  if (state === "pending") return;
  if (state === "cancelled") return void await store.cancel([id]);
  const [run, ...others] = await claim(store, worker, 1);
  assert.deepEqual([run?.id, others], [id, []]);
  if (state === "processing") return;
  const next = state === "completed"
    ? { state }
    : state === "failed"
    ? { state, delay: 1000, error: "no" } as const
    : { state: "dead", error: "no" } as const;
  await store.exchange(worker, [finished(run, state === "completed" ? success : failure, { next })], 0);
  assert.equal((await jobById(store, id)).state, state);
}

const parentStates: JobState[] = ["pending", "processing", "failed", "completed", "dead", "cancelled"];

export function dependencyCases(test: Case): void {
  for (const kind of ["after", "afterAny"] as const) {
    for (const state of parentStates) {
      const waits = ["pending", "processing", "failed"].includes(state);
      const isBroken = kind === "after" && (state === "dead" || state === "cancelled");
      test(`a new job ${kind} one that is ${state} ${waits ? "waits" : isBroken ? "is cancelled" : "runs"}`, async ({ store }) => {
        const worker = await join(store, { lease });
        await store.enqueue([newJob("parent", { priority: 9 })]);
        await bring(store, worker, "parent", state);
        await store.enqueue([newJob("child", { [kind]: ["parent"] }), after("grandchild", "child")]);
        assert.deepEqual(
          await view(store, "child"),
          isBroken ? ["cancelled", 0, words("parent", `is ${state}`)] : ["pending", waits ? 1 : 0, null],
        );
        assert.deepEqual(
          await view(store, "grandchild"),
          isBroken ? ["cancelled", 0, words("child", "is cancelled")] : ["pending", 1, null],
        );
        const claimed = ids(await claim(store, worker, 9));
        assert.deepEqual(claimed, state === "pending" ? ["parent"] : waits || isBroken ? [] : ["child"]);
        const blocked = (await store.list({ kinds: ["blocked"], limit: 9 })).map(({ id }) => id);
        assert.deepEqual(blocked, isBroken ? [] : waits ? ["child", "grandchild"] : ["grandchild"]);
      });
    }
    for (const state of ["completed", "dead", "cancelled"] as const) {
      const isBroken = kind === "after" && state !== "completed";
      test(`a job ${kind} one that becomes ${state} ${isBroken ? "is cancelled" : "runs"}, and comes back with a retry`, async ({ store }) => {
        const worker = await join(store, { lease });
        await store.enqueue([
          newJob("parent", { priority: 9 }),
          newJob("child", { [kind]: ["parent"] }),
          newJob("held", { [kind]: ["parent"], held: true }),
          newJob("later", { [kind]: ["parent"], delay: 1000 }),
          after("grandchild", "child"),
        ]);
        assert.deepEqual(await store.list({ kinds: ["waiting"], limit: 9 }).then(ids), ["parent"]);
        await bring(store, worker, "parent", state);
        assert.deepEqual(
          await view(store, "child"),
          isBroken ? ["cancelled", 0, words("parent", `is ${state}`)] : ["pending", 0, null],
        );
        assert.deepEqual(
          await view(store, "grandchild"),
          isBroken ? ["cancelled", 0, words("child", "is cancelled")] : ["pending", 1, null],
        );
        assert.deepEqual(
          await store.list({ kinds: ["waiting"], limit: 9 }).then(ids),
          isBroken ? [] : ["child"],
        );
        await store.retry(["parent"]);
        assert.deepEqual(await view(store, "child"), ["pending", 1, null]);
        assert.deepEqual(await view(store, "grandchild"), ["pending", 1, null]);
        assert.deepEqual(ids(await claim(store, worker, 9)), ["parent"]);
      });
    }
  }

  test("a job waits for all its parents, each of them once, whichever way it was named", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([
      ...newJobs("a", "b", "c"),
      newJob("child", { after: ["a", "b", "a"], afterAny: ["b", "c"] }),
    ]);
    assert.equal((await jobById(store, "child")).blocked, 3);
    const runs = await claim(store, worker, 9);
    assert.deepEqual(ids(runs), ["a", "b", "c"]);
    await end(store, worker, runs[0], success);
    await end(store, worker, runs[2], success);
    assert.deepEqual(await view(store, "child"), ["pending", 1, null]);
    await store.exchange(worker, [finished(runs[1], failure, { next: { state: "dead", error: "x" } })], 0);
    assert.deepEqual(await view(store, "child"), ["cancelled", 0, words("b", "is dead")]);
  });

  test("results of parents and the claim of the child go in one exchange, and wake others", async ({ store, connect }) => {
    const other = await connect();
    const worker = await join(store, { lease });
    await store.enqueue([...newJobs("a", "b"), after("child", "a", "b"), after("child 2", "a", "b")]);
    const runs = await claim(store, worker, 2);
    await waitFor("quiet", () => !other.changed());
    const answer = await store.exchange(worker, runs.map((run) => finished(run, success)), 1);
    assert.deepEqual(ids(answer.claims), ["child"]);
    await waitFor("news of the other child", () => other.changed());
  });

  test("a parent that fails and is retried, or is handed back, is waited for on", async ({ store, clock }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("a"), after("child", "a")]);
    await end(store, worker, await claimOne(store, worker), handedBack);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual(await view(store, "child"), ["pending", 1, null]);
    clock.advance(60_000);
    await end(store, worker, await claimOne(store, worker), success);
    assert.equal((await claimOne(store, worker)).id, "child");
  });

  test("of one enqueue a job may wait for one that comes later in it", async ({ store }) => {
    const worker = await join(store, { lease });
    using intake = await store.intake();
    intake.add([after("c", "b"), after("b", "a"), newJob("a")]);
    assert.equal(await intake.commit(), 3);
    for (const name of ["a", "b", "c"]) {
      const [run, ...others] = await claim(store, worker, 9);
      assert.deepEqual([run.id, others], [name, []]);
      await end(store, worker, run, success);
    }
  });

  test("a parent that is not there is told with what was perhaps meant, and nothing is stored", async ({ store }) => {
    await store.enqueue(newJobs("nightly", "unique-one", "twin-1", "twin-2"));
    const refused = (job: NewJob, ...parts: string[]) =>
      assert.rejects(
        store.enqueue([newJob("other"), job]),
        told("not_found", ...parts, "nothing was stored"),
      );
    await refused(after("child", "nighly"), 'nighly (did you mean "nightly"?)', '"child"');
    await refused(afterAny("child", "nothing-like-it"), "nothing-like-it");
    await refused(after("child-1", "child"), "child,");
    await assert.rejects(store.enqueue([after("child", "twin")]), told("usage", '"twin"', "twin-1"));
    assert.equal((await store.counts()).pending, 4);
    await store.enqueue([after("child", "uniq")]);
    assert.equal((await jobById(store, "child")).blocked, 1);
  });

  test("jobs that would wait for themselves are refused with the circle", async ({ store }) => {
    await store.enqueue(newJobs("there"));
    await assert.rejects(store.enqueue([after("a", "a")]), told("usage", '"a" cannot wait for itself'));
    const chain = [after("a", "there", "b"), after("b", "c"), afterAny("c", "there", "a"), newJob("d")];
    await assert.rejects(store.enqueue(chain), told("usage", '"a" after "b" after "c" after "a"'));
    assert.equal((await store.counts()).pending, 1);
    const long = Array.from({ length: 5000 }, (_, n) => after(`n${n}`, `n${(n + 1) % 5000}`));
    await assert.rejects(store.enqueue(long), told("usage", '"n0" after "n1"', "…"));
  });

  test("a child waits for none of the parents that has failed when it is retried itself", async ({ store }) => {
    const worker = await join(store, { lease });
    await addDead(store, "p");
    await store.enqueue([newJob("q", { priority: 9 }), newJob("c", { after: ["p", "q"] }), after("d", "c")]);
    assert.deepEqual(await view(store, "c"), ["cancelled", 0, words("p", "is dead")]);
    await assert.rejects(
      store.retry(["c"]),
      told("conflict", '"c"', 'job "p" that it waits for is dead', "first"),
    );
    assert.deepEqual((await store.retry({ kinds: ["cancelled"] })).ids, []);
    // All that they wait for is among them.
    assert.deepEqual((await store.retry("all")).ids, ["p", "c", "d"]);
    assert.deepEqual(await view(store, "c"), ["pending", 2, null]);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["p", "q"]);
  });

  test("a job that was cancelled by hand does not come back with its parent", async ({ store }) => {
    await store.enqueue([newJob("p"), after("c", "p"), after("d", "c"), afterAny("e", "c")]);
    await store.cancel(["c"]);
    assert.deepEqual(await states(store), { p: "pending", c: "cancelled", d: "cancelled", e: "pending" });
    await store.cancel(["p"]);
    await store.retry(["p"]);
    assert.deepEqual(await states(store), { p: "pending", c: "cancelled", d: "cancelled", e: "pending" });
    await store.retry(["c"]);
    assert.deepEqual(await states(store), { p: "pending", c: "pending", d: "pending", e: "pending" });
  });

  for (const why of ["cancelled", "removed"] as const) {
    test(`a job that was cancelled because its parent was ${why} comes back held, and at its time`, async ({ store, clock }) => {
      const worker = await join(store, { lease });
      const parents = { after: ["p"] };
      await store.enqueue([
        newJob("p"),
        newJob("held", { ...parents, held: true }),
        newJob("delayed", { ...parents, delay: 1000 }),
        newJob("at", { ...parents, at: clock.now() + 2000 }),
        newJob("both", { ...parents, held: true, delay: 1000 }),
        newJob("plain", parents),
      ]);
      const times = async () =>
        (await store.list({ limit: 9 })).map((job) => [job.id, job.held, job.nextAttemptAt]);
      const before = await times();
      if (why === "cancelled") await store.cancel(["p"]);
      else await store.remove(["p"]);
      const late = newJob("late", { ...parents, held: true, delay: 1000 });
      if (why === "cancelled") await store.enqueue([late]);
      for (const { held, nextAttemptAt } of await store.list({ kinds: ["cancelled"], limit: 9 })) {
        assert.deepEqual([held, nextAttemptAt], [false, null]);
      }
      assert.deepEqual(await store.check(), []);
      if (why === "cancelled") await store.retry(["p"]);
      else await store.retry("all");
      const started = clock.now();
      if (why === "cancelled") {
        assert.deepEqual(await times(), [...before, ["late", true, started + 1000]]);
        assert.deepEqual(ids(await claim(store, worker, 9)), ["p"]);
      } else {
        assert.deepEqual(await times(), before.slice(1));
        assert.deepEqual(ids(await claim(store, worker, 9)), ["plain"]);
      }
    });
  }

  test("what changes with another job, far from it, is among those that changed last", async ({ store, clock }) => {
    const others = Array.from({ length: 10_000 }, (_, number) => `other-${number}`);
    await store.enqueue([newJob("p"), ...newJobs(...others.slice(0, 5000)), after("c", "p")]);
    await store.enqueue(newJobs(...others.slice(5000)));
    const changes: Array<[() => Promise<unknown>, string[]]> = [
      [() => store.cancel(["p"]), ["c", "p"]],
      [() => store.retry(["p"]), ["c", "p"]],
      [() => store.remove(["p"]), ["c", others.at(-1)!]],
    ];
    for (const [change, expected] of changes) {
      clock.advance(60_000);
      await change();
      const latest = await store.list({ sort: { by: "updated", descending: true }, limit: 2 });
      assert.deepEqual(ids(latest).sort(), expected);
      assert.deepEqual(await store.check(), []);
    }
  });

  test("what comes back runs when its time has come and it is released, and keeps nothing for the next time", async ({ store, clock }) => {
    const worker = await join(store, { lease });
    await store.enqueue([
      newJob("p"),
      newJob("c", { after: ["p"], held: true, delay: 1000 }),
      after("d", "c"),
    ]);
    await store.cancel(["p"]);
    clock.advance(5000);
    await store.retry(["p"]);
    await end(store, worker, await claimOne(store, worker), success);
    assert.deepEqual(await claim(store, worker, 9), []);
    await store.release(["c"]);
    const run = await claimOne(store, worker);
    assert.equal(run.id, "c");
    await end(store, worker, run, success);
    await store.cancel(["d"]);
    await store.retry(["c"]);
    const { held, nextAttemptAt } = await jobById(store, "c");
    assert.deepEqual([held, nextAttemptAt], [false, null]);
    assert.equal((await claimOne(store, worker)).id, "c");
  });

  test("jobs that are retried with what they wait for come back held, and at their time", async ({ store, clock }) => {
    const worker = await join(store, { lease });
    await addDead(store, "p");
    const due = clock.now() + 1000;
    await store.enqueue([
      newJob("held", { after: ["p"], held: true }),
      newJob("later", { after: ["p"], at: due }),
    ]);
    await store.retry("all");
    assert.equal((await jobById(store, "held")).held, true);
    assert.equal((await jobById(store, "later")).nextAttemptAt, due);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["p"]);
  });

  test("a job that somebody has cancelled and retries runs at once", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("a", { held: true, delay: 1000 })]);
    await store.cancel(["a"]);
    await store.retry(["a"]);
    assert.equal((await claimOne(store, worker)).id, "a");
  });

  test("with two failed parents it comes back when both are retried", async ({ store }) => {
    await store.enqueue([...newJobs("p", "q"), after("c", "p", "q"), after("d", "c")]);
    await store.cancel(["p"]);
    await store.cancel(["q"]);
    assert.deepEqual(await view(store, "c"), ["cancelled", 0, words("p", "is cancelled")]);
    await store.retry(["p"]);
    assert.deepEqual(await view(store, "c"), ["cancelled", 0, words("q", "is cancelled")]);
    await store.retry(["q"]);
    assert.deepEqual(await view(store, "c"), ["pending", 2, null]);
    assert.deepEqual(await view(store, "d"), ["pending", 1, null]);
  });

  test("removing one that is not completed cancels who waits for its success, and frees the others", async ({ store }) => {
    await store.enqueue([
      ...newJobs("p", "q"),
      after("c", "p"),
      after("d", "c"),
      afterAny("e", "p"),
      after("f", "q", "p"),
    ]);
    await store.remove(["p"]);
    assert.deepEqual(await view(store, "c"), ["cancelled", 0, words("p", "was removed")]);
    assert.deepEqual(await view(store, "d"), ["cancelled", 0, words("c", "is cancelled")]);
    assert.deepEqual(await view(store, "f"), ["cancelled", 0, words("p", "was removed")]);
    assert.deepEqual(ids(await store.list({ kinds: ["waiting"], limit: 9 })), ["q", "e"]);
    await store.retry(["c"]);
    assert.deepEqual(await view(store, "d"), ["pending", 1, null]);
    await store.remove(["c", "d"]);
    // What is gone does not bring anybody back.
    await store.cancel(["q"]);
    await store.retry(["q"]);
    assert.deepEqual(await view(store, "f"), ["cancelled", 0, words("p", "was removed")]);
  });

  test("removing a dead one leaves what was cancelled because of it, also when its other parent is retried", async ({ store }) => {
    await addDead(store, "p", "q");
    await store.enqueue([after("c", "q", "p")]);
    await store.dlqPurge(["p"]);
    await store.dlqRetry(["q"]);
    assert.equal((await view(store, "c"))[0], "cancelled");
  });

  test("removing a completed one leaves its children as they are", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("p"), after("c", "p")]);
    await end(store, worker, await claimOne(store, worker), success);
    await store.remove(["p"]);
    assert.equal((await claimOne(store, worker)).id, "c");
  });

  test("a parent that runs and is cancelled takes its children with it when it has ended", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("p"), after("c", "p"), afterAny("d", "p")]);
    const run = await claimOne(store, worker);
    await store.cancel(["p"]);
    assert.deepEqual(await view(store, "c"), ["pending", 1, null]);
    await end(store, worker, run, { kind: "cancelled" });
    assert.deepEqual(await states(store), { p: "cancelled", c: "cancelled", d: "pending" });
    assert.equal((await claimOne(store, worker)).id, "d");
  });

  test("a job that has begun when its parent is retried waits only before its next run", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("p"), newJob("c", { after: ["p"], baseBackoff: 0 })]);
    await end(store, worker, await claimOne(store, worker), success);
    const run = await claimOne(store, worker);
    await store.retry(["p"]);
    assert.equal((await view(store, "c"))[1], 0);
    await store.exchange(worker, [
      finished(run, failure, { next: { state: "failed", delay: 0, error: "x" } }),
    ], 0);
    assert.deepEqual(await view(store, "c"), ["failed", 1, "x"]);
    const [parent, ...others] = await claim(store, worker, 9);
    assert.deepEqual([parent.id, others], ["p", []]);
    await end(store, worker, parent, success);
    assert.equal((await claimOne(store, worker)).id, "c");
  });

  test("who waits for a job that is left out waits for the one that is kept in its place", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([newJob("there", { uniqueKey: "k" })]);
    const keep = { uniqueKey: "k", onDuplicate: "keep" } as const;
    await store.enqueue([
      newJob("left out", { ...keep, after: ["there"] }),
      newJob("child", { after: ["left out"], afterAny: ["there"] }),
    ]);
    const { parents } = await store.detail("child");
    assert.deepEqual(parents, [{
      id: "there",
      state: "pending",
      kind: "success",
      queue: "default",
      held: false,
    }]);
    await end(store, worker, await claimOne(store, worker), success);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["child"]);
    // The second "b" stands for the first one, which would so wait for itself.
    await assert.rejects(
      store.enqueue([
        newJob("b", { uniqueKey: "b", after: ["b again"] }),
        newJob("b again", { uniqueKey: "b", onDuplicate: "keep" }),
      ]),
      told("usage", '"b" cannot wait for itself'),
    );
    assert.equal((await store.counts()).pending, 0);
  });

  test("replacing a job cancels who waits for it", async ({ store }) => {
    await store.enqueue([newJob("old", { uniqueKey: "k" }), after("child", "old")]);
    await store.enqueue([newJob("new", { uniqueKey: "k", onDuplicate: "replace", afterAny: ["old"] })]);
    assert.deepEqual(await view(store, "child"), ["cancelled", 0, words("old", "is cancelled")]);
    assert.deepEqual(await view(store, "new"), ["pending", 0, null]);
  });

  test("no job comes back beside one with its unique key", async ({ store }) => {
    await store.enqueue([newJob("p"), newJob("c", { after: ["p"], uniqueKey: "k" })]);
    await store.cancel(["p"]);
    await store.enqueue([newJob("other", { uniqueKey: "k" })]);
    await store.enqueue([after("grandchild", "c"), newJob("d1", { after: ["p"], uniqueKey: "d" })]);
    await store.enqueue([newJob("d2", { after: ["p"], uniqueKey: "d" })]);
    assert.deepEqual(await store.retry(["p"]), {
      ids: ["p"],
      effects: { dependants: 1, stay: 2, keyTaken: 0, parentFailed: 0 },
    });
    assert.deepEqual(await view(store, "c"), ["cancelled", 0, 'Job "other" has the same unique key "k"']);
    assert.deepEqual(await view(store, "grandchild"), ["cancelled", 0, words("c", "is cancelled")]);
    assert.deepEqual(await view(store, "d1"), ["cancelled", 0, 'Job "d2" has the same unique key "d"']);
    assert.deepEqual(await view(store, "d2"), ["pending", 1, null]);
    await store.cancel(["other"]);
    await store.retry(["c"]);
    assert.deepEqual(await view(store, "c"), ["pending", 1, null]);
    assert.deepEqual(await view(store, "grandchild"), ["pending", 1, null]);
  });

  test("how many are cancelled and come back with what they wait for is told", async ({ store }) => {
    await store.enqueue([
      newJob("p"),
      after("c", "p"),
      after("d", "c"),
      afterAny("e", "p"),
      after("f", "p", "c"),
    ]);
    const counted = [
      await store.cancel(["p"]),
      await store.retry(["p"]),
      await store.cancel(["p", "d"]),
      await store.retry("all"),
      await store.remove(["p"]),
    ].map(({ effects }) => effects.dependants);
    assert.deepEqual(counted, [3, 3, 2, 0, 3]);
  });

  test("detail names what a job waits for, first what has not ended, and what waits for it", async ({ store }) => {
    const worker = await join(store, { lease });
    await store.enqueue([...newJobs("a", "b"), newJob("c", { after: ["a", "b"], afterAny: ["a"] })]);
    await store.enqueue(Array.from({ length: 7 }, (_, n) => afterAny(`d${n}`, "c")));
    await end(store, worker, await claimOne(store, worker), success);
    const { parents, children, job } = await store.detail("c");
    assert.deepEqual(parents, [
      { id: "b", state: "pending", kind: "success", queue: "default", held: false },
      { id: "a", state: "completed", kind: "success", queue: "default", held: false },
    ]);
    assert.deepEqual(children, { ids: ["d0", "d1", "d2", "d3", "d4"], count: 7 });
    assert.equal(job.blocked, 1);
    assert.deepEqual((await store.detail("a")).children, { ids: [], count: 0 });
  });

  test("thousands of parents of one job, and thousands of children, are settled in one go", async ({ store }) => {
    const worker = await join(store, { lease });
    const names = Array.from({ length: 3000 }, (_, n) => `p${n}`);
    await store.enqueue([...newJobs(...names), after("child", ...names)]);
    for (let left = names.length; left > 0;) {
      assert.equal((await jobById(store, "child")).blocked, left);
      const runs: Claim[] = await claim(store, worker, 1000);
      assert.deepEqual(
        (await store.exchange(worker, runs.map((run) => finished(run, success)), 0)).stale,
        [],
      );
      left -= runs.length;
    }
    await store.enqueue(names.map((name) => after(`c${name}`, "child")));
    await end(store, worker, await claimOne(store, worker), success);
    assert.equal((await store.list({ kinds: ["waiting"], limit: 9999 })).length, 3000);
  });
}
