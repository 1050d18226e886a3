/** Jobs that are held, and let go. */

import assert from "node:assert/strict";
import { allQueues } from "../../../src/store/queues.ts";
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
  success,
  told,
} from "./harness.ts";

export function holdCases(test: Case): void {
  test("a held job is not claimed, also when its time comes, before it is released", async (subject) => {
    const { store, clock } = subject;
    const worker = await join(store);
    await store.enqueue([newJob("later", { delay: 1000 }), newJob("now"), newJob("born", { held: true })]);
    assert.deepEqual((await store.hold(["now", "later", "now"])).ids, ["now", "later"]);
    const job = await jobById(store, "later");
    assert.deepEqual([job.held, job.state, job.nextAttemptAt], [true, "pending", clock.now() + 1000]);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
    assert.deepEqual(await claim(store, worker, 9), []);
    clock.advance(1000);
    assert.deepEqual(await claim(store, worker, 9), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
    assert.deepEqual((await store.release(["now", "later", "born"])).ids, ["now", "later", "born"]);
    assert.equal((await jobById(store, "now")).held, false);
    assert.deepEqual(await store.availability(), { ready: true, dueIn: null });
    assert.deepEqual(ids(await claim(store, worker, 9)), ["later", "now", "born"]);
  });

  test("what keeps jobs back is counted, each job once", async ({ store, clock }) => {
    const worker = await join(store);
    const nothing = { held: 0, blocked: 0, scheduled: 0, paused: 0 };
    assert.deepEqual(await store.keptBack(), nothing);
    const queue = "other";
    await store.enqueue([newJob("runs"), newJob("free"), newJob("fails"), newJob("in-other", { queue })]);
    const [, , fails] = await claim(store, worker, 3);
    assert.deepEqual(await store.keptBack(), nothing);
    await end(store, worker, fails, failure);
    await store.enqueue([
      newJob("later", { delay: 1000 }),
      newJob("after", { after: ["runs"] }),
      newJob("later-after", { after: ["runs"], delay: 1000 }),
      newJob("held", { held: true }),
      newJob("held-later", { held: true, delay: 1000 }),
      newJob("held-after", { held: true, after: ["runs"] }),
    ]);
    const kept = { held: 3, blocked: 2, scheduled: 2, paused: 0 };
    assert.deepEqual(await store.keptBack(), kept);
    await store.pauseQueues([queue], true);
    assert.deepEqual(await store.keptBack(), { ...kept, paused: 1 });
    await store.enqueue([newJob("new")]);
    await store.pauseQueues([allQueues], true);
    assert.deepEqual(await store.keptBack(), { ...kept, paused: 2 });
    clock.advance(100_000);
    await store.pauseQueues([allQueues, queue], false);
    assert.deepEqual(ids(await claim(store, worker, 9)).sort(), ["fails", "in-other", "later", "new"]);
    assert.deepEqual(await store.keptBack(), { ...kept, scheduled: 0 });
  });

  test("what has ended, or whose time has come, is not kept back", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([
      newJob("parent"),
      newJob("child", { after: ["parent"] }),
      newJob("due", { delay: 1000 }),
    ]);
    for (const _ of [1, 2]) {
      for (const job of await claim(store, worker, 1)) await end(store, worker, job, success);
    }
    await store.retry(["parent"]);
    const nothing = { held: 0, blocked: 0, scheduled: 0, paused: 0 };
    assert.deepEqual(await store.keptBack(), { ...nothing, scheduled: 1 });
    assert.deepEqual(await store.list({ kinds: ["blocked"], limit: 9 }), []);
    clock.advance(1000);
    assert.deepEqual(await store.keptBack(), nothing);
    // What runs may be what others wait for, but not those that have ended.
    const [parent] = await claim(store, worker, 1);
    assert.equal(parent.id, "parent");
    await store.cancel(["due"]);
    await store.enqueue([newJob("elsewhere", { queue: "other", after: ["parent"] })]);
    assert.equal(await store.isWorkLeft(["other"]), true);
    await store.cancel(["elsewhere"]);
    assert.equal(await store.isWorkLeft(["other"]), false);
  });

  test("a job that is released before its time waits for that", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { maxRetries: 1 })]);
    await end(store, worker, await claimOne(store, worker), failure);
    assert.deepEqual((await store.hold(["a"])).ids, ["a"]);
    clock.advance(1999);
    assert.deepEqual((await store.release(["a"])).ids, ["a"]);
    assert.deepEqual(await claim(store, worker), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1 });
    clock.advance(1);
    assert.equal((await claimOne(store, worker)).attempt, 2);
  });

  test("held jobs are a view, and neither scheduled nor waiting", async ({ store }) => {
    await addDead(store, "dead");
    await store.enqueue([
      newJob("waits"),
      newJob("scheduled", { delay: 5000 }),
      newJob("held"),
      newJob("held-later", { delay: 5000 }),
    ]);
    await store.hold(["held", "held-later"]);
    const listed = async (...kinds: Array<"held" | "scheduled" | "waiting" | "pending">) =>
      ids(await store.list({ kinds, limit: 9 }));
    assert.deepEqual(await listed("held"), ["held", "held-later"]);
    assert.deepEqual(await listed("scheduled"), ["scheduled"]);
    assert.deepEqual(await listed("waiting"), ["waits"]);
    assert.deepEqual(await listed("pending"), ["waits", "scheduled", "held", "held-later"]);
    assert.deepEqual(await listed("held", "scheduled"), ["scheduled", "held", "held-later"]);
    assert.equal(await store.countOpen(), 2);
    assert.deepEqual((await store.hold({ kinds: ["scheduled"] })).ids, ["scheduled"]);
    assert.deepEqual((await store.release({ kinds: ["pending"] })).ids, ["scheduled", "held", "held-later"]);
    assert.deepEqual((await store.release("all")).ids, []);
    assert.deepEqual((await store.hold("all")).ids, ["waits", "scheduled", "held", "held-later"]);
    assert.equal(await store.countOpen(), 0);
  });

  test("few held jobs among many others are found as pending ones", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(Array.from({ length: 9 }, (_, index) => newJob(`runs-${index}`)));
    await claim(store, worker, 9);
    await store.enqueue([newJob("a", { held: true }), newJob("b")]);
    assert.deepEqual(ids(await store.list({ kinds: ["pending"], limit: 9 })), ["a", "b"]);
    assert.partialDeepStrictEqual(await store.cancel({ kinds: ["pending"] }), {
      ids: ["a", "b"],
      running: [],
    });
  });

  test("only jobs that wait are held and only held ones are released, all or none", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    await assert.rejects(
      store.hold(["pending", "processing"]),
      told("conflict", '"processing" cannot be held', "its state is processing", "only waiting jobs"),
    );
    await assert.rejects(store.hold(["pending", "unknown"]), told("not_found", "unknown"));
    await store.hold(["failed"]);
    await assert.rejects(
      store.release(["failed", "pending"]),
      told("conflict", 'Job "pending" cannot be released: it is not held'),
    );
    await assert.rejects(store.release(["dead"]), told("conflict", "its state is dead"));
    assert.deepEqual(ids(await store.list({ kinds: ["held"], limit: 9 })), ["failed"]);
    assert.deepEqual((await store.hold({ search: "e" })).ids, ["failed", "due", "pending"]);
  });

  test("what takes a held job out of the queue, or gives it back, lets it go", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("failed"), newJob("waits")]);
    await end(store, worker, await claimOne(store, worker), failure);
    await store.hold(["failed", "waits"]);
    await store.cancel(["waits"]);
    await store.retry(["failed", "waits"]);
    for (const id of ["failed", "waits"]) assert.equal((await jobById(store, id)).held, false);
    clock.advance(1);
    assert.deepEqual(ids(await claim(store, worker, 2)), ["failed", "waits"]);
  });
}
