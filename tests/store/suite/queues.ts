/** Queues: which jobs a worker may start, how many at once and how many within a time; pausing and moving. */

import assert from "node:assert/strict";
import { waitFor } from "../../helpers/wait_for.ts";
import type { Claim } from "../../../src/job/job.ts";
import type { Store } from "../../../src/store/store.ts";
import {
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

const inQueue = (queue: string, ...names: string[]) => names.map((name) => newJob(name, { queue }));

/** Claims jobs, whose commands begin at once. */
async function start(store: Store, worker: number, want: number): Promise<Claim[]> {
  const claims = await claim(store, worker, want);
  await begin(store, worker, claims);
  return claims;
}

const begin = (store: Store, worker: number, claims: readonly Claim[]) =>
  store.exchange(worker, [], 0, claims);

export function queueCases(test: Case): void {
  test("a queue runs no more jobs at once than its limit, the default one too", async ({ store }) => {
    const worker = await join(store);
    for (const queue of ["default", "few"]) {
      await store.setQueue(queue, { concurrency: 2 });
      await store.enqueue(inQueue(queue, ...["1", "2", "3", "4"].map((name) => `${queue} ${name}`)));
    }
    const first = await claim(store, worker, 10);
    assert.deepEqual(ids(first), ["default 1", "default 2", "few 1", "few 2"]);
    assert.deepEqual(await claim(store, worker, 10), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
    // In one exchange: the place that becomes free is taken.
    const { claims } = await store.exchange(worker, [finished(first[2], success)], 10);
    assert.deepEqual(ids(claims), ["few 3"]);
    await store.setQueue("few", { concurrency: null });
    assert.deepEqual(await store.availability(), { ready: true, dueIn: null });
    assert.deepEqual(ids(await claim(store, worker, 10)), ["few 4"]);
  });

  test("a limit counts jobs of workers that are gone, until somebody knows what became of them", async ({ store }) => {
    const [gone, worker] = [await join(store), await join(store)];
    await store.setQueue("few", { concurrency: 2 });
    await store.enqueue(inQueue("few", "a", "b", "c"));
    await claim(store, gone, 2);
    await store.leave(gone);
    assert.deepEqual(await claim(store, worker, 5), []);
    const taken = await store.takeOver(worker, [], []);
    assert.deepEqual(await claim(store, worker, 5), []);
    const { claims } = await store.exchange(worker, [finished(taken[0], success)], 5);
    assert.deepEqual(ids(claims), ["c"]);
  });

  test("a limit lowered under what runs ends nothing and lets nothing start", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(inQueue("few", "a", "b", "c", "d"));
    const runs = await claim(store, worker, 3);
    await store.setQueue("few", { concurrency: 2 });
    assert.deepEqual(await claim(store, worker, 5), []);
    await end(store, worker, runs[0], success);
    assert.deepEqual(await claim(store, worker, 5), []);
    await end(store, worker, runs[1], success);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["d"]);
  });

  test("all queues together run no more than the limit of all", async ({ store }) => {
    const worker = await join(store);
    await store.setQueue("", { concurrency: 3 });
    await store.enqueue([
      ...inQueue("a", "a1", "a2"),
      ...newJobs("d1", "d2"),
      newJob("b1", { queue: "b", priority: 1 }),
    ]);
    const first = await claim(store, worker, 10);
    assert.deepEqual(ids(first), ["b1", "a1", "a2"]);
    assert.equal((await store.availability()).ready, false);
    const { claims } = await store.exchange(worker, [finished(first[0], success)], 10);
    assert.deepEqual(ids(claims), ["d1"]);
  });

  test("across queues the highest priority comes first, then the oldest, also where some are limited", async ({ store }) => {
    const worker = await join(store);
    await store.setQueue("one", { concurrency: 1 });
    await store.enqueue([
      newJob("old"),
      newJob("one high", { queue: "one", priority: 5 }),
      newJob("one higher", { queue: "one", priority: 6 }),
      newJob("other", { queue: "other" }),
      newJob("high", { priority: 4 }),
    ]);
    assert.deepEqual(ids(await claim(store, worker, 3)), ["one higher", "high", "old"]);
    assert.deepEqual(ids(await claim(store, worker, 3)), ["other"]);
  });

  test("a worker takes jobs of its queues alone, whether or not they are there", async ({ store }) => {
    const worker = await join(store, { queues: ["b", "none", "c"] });
    await store.enqueue([...newJobs("d"), ...inQueue("a", "a"), ...inQueue("b", "b"), ...inQueue("c", "c")]);
    assert.deepEqual((await store.processes())[0].queues, ["b", "none", "c"]);
    assert.equal((await store.availability(["none"])).ready, false);
    assert.equal((await store.availability(["none", "c"])).ready, true);
    assert.deepEqual(ids(await claim(store, worker, 10)), ["b", "c"]);
    assert.equal((await store.availability(["b", "c"])).ready, false);
    assert.equal((await store.availability()).ready, true);
    const all = await join(store);
    assert.deepEqual(ids(await claim(store, all, 10)), ["d", "a"]);
  });

  test("nothing of a paused queue starts, and nothing at all while all are paused", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([...newJobs("d1", "d2"), ...inQueue("a", "a1", "a2")]);
    await store.pauseQueues(["default"], true);
    assert.deepEqual(ids(await claim(store, worker, 1)), ["a1"]);
    await store.pauseQueues([""], true);
    assert.deepEqual(await claim(store, worker, 10), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
    await store.pauseQueues([""], false);
    assert.deepEqual(ids(await claim(store, worker, 10)), ["a2"]);
    await store.pauseQueues(["default"], false);
    assert.deepEqual(ids(await claim(store, worker, 10)), ["d1", "d2"]);
  });

  test("what runs in a paused queue goes on, and waits there afterwards", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(inQueue("a", "fails", "back"));
    const [fails, back] = await claim(store, worker, 2);
    await store.pauseQueues(["a"], true);
    await end(store, worker, fails, failure);
    await end(store, worker, back, handedBack);
    clock.advance(2000);
    assert.deepEqual(await claim(store, worker, 5), []);
    await store.pauseQueues(["a"], false);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["fails", "back"]);
  });

  test("unknown queues are not paused, nor any that is named with them", async ({ store }) => {
    await store.enqueue(inQueue("reports", "a"));
    await assert.rejects(
      store.pauseQueues(["reports", "reprots"], true),
      told("not_found", "reprots", `did you mean "reports"`),
    );
    await assert.rejects(store.pauseQueues(["x".repeat(50)], true), told("not_found"));
    assert.deepEqual((await store.queues()).filter(({ paused }) => paused), []);
  });

  test("a rate lets so many jobs start within any period, and tells when the next one may", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 3, ratePeriod: 1000 });
    await store.enqueue(inQueue("slow", ...Array.from("abcdefghij")));
    assert.deepEqual(ids(await start(store, worker, 2)), ["a", "b"]);
    clock.advance(400);
    assert.deepEqual(ids(await start(store, worker, 2)), ["c"]);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 600 });
    clock.advance(599);
    assert.deepEqual(await start(store, worker, 5), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1 });
    clock.advance(1);
    assert.deepEqual(await store.availability(), { ready: true, dueIn: null });
    assert.deepEqual(ids(await start(store, worker, 5)), ["d", "e"]);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 400 });
    clock.advance(400);
    assert.deepEqual(ids(await start(store, worker, 5)), ["f"]);
    await store.setQueue("slow", { rate: 1 });
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
    await store.setQueue("slow", { rate: null, ratePeriod: null });
    assert.deepEqual(ids(await start(store, worker, 5)), ["g", "h", "i", "j"]);
  });

  test("queues tell how long their rates let nothing start", async ({ store, clock }) => {
    const worker = await join(store);
    const waits = async () =>
      (await store.queues()).flatMap(({ name, nextStart }) => nextStart === null ? [] : [[name, nextStart]]);
    await store.setQueue("slow", { rate: 2, ratePeriod: 1000 });
    await store.setQueue("slower", { rate: 1, ratePeriod: 1000 });
    await store.enqueue([...inQueue("slow", "a", "b", "c"), ...inQueue("slower", "d")]);
    assert.deepEqual(await waits(), []);
    await start(store, worker, 1);
    assert.deepEqual(await waits(), []);
    clock.advance(300);
    await start(store, worker, 2);
    assert.deepEqual(await waits(), [["slow", 700], ["slower", 1000]]);
    clock.advance(700);
    assert.deepEqual(await waits(), [["slower", 300]]);
    await store.setQueue("slower", { rate: null, ratePeriod: null });
    assert.deepEqual(await waits(), []);
  });

  test("a rate counts starts, however they ended, and concurrency comes on top of it", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 2, ratePeriod: 1000, concurrency: 1 });
    await store.enqueue(inQueue("slow", "a", "b", "c"));
    const first = await claimOne(store, worker);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: null });
    const { claims: [again] } = await store.exchange(worker, [finished(first, handedBack)], 5);
    assert.equal(again.id, "a");
    await end(store, worker, again, success);
    assert.deepEqual(await claim(store, worker, 5), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
    clock.advance(1000);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["b"]);
  });

  test("a rate counts a command from when it begins, and may begin at any moment until that is told", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 2, ratePeriod: 1000 });
    await store.enqueue([...inQueue("slow", ...Array.from("abcdef")), newJob("other")]);
    const [a, b, other] = await claim(store, worker, 5);
    assert.deepEqual([a, b, other].map(({ id, rated }) => [id, rated]), [["a", true], ["b", true], [
      "other",
      false,
    ]]);
    // However long it takes; nobody who looks again in the time that is told looks too late.
    for (let waits = 0; waits < 3; waits++) {
      assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
      assert.deepEqual(await claim(store, worker, 5), []);
      clock.advance(1000);
    }
    await begin(store, worker, [a, other]);
    clock.advance(999);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1 });
    assert.deepEqual(await claim(store, worker, 5), []);
    clock.advance(1);
    const [c, ...none] = await claim(store, worker, 5);
    assert.deepEqual([c.id, ...none], ["c"]);
    // With the end comes what is to be told; once more it says nothing.
    await store.exchange(worker, [finished(b, success)], 0, [b]);
    clock.advance(400);
    await begin(store, worker, [a, b, c]);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 600 });
    clock.advance(600);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["d"]);
  });

  test("a rate waits for the begin of a run that was taken over, and hears of it from its new owner alone", async ({ store, clock }) => {
    const [gone, worker] = [await join(store), await join(store)];
    await store.setQueue("slow", { rate: 2, ratePeriod: 1000 });
    await store.enqueue(inQueue("slow", "a", "b", "c", "d"));
    const old = await claim(store, gone, 2);
    await begin(store, gone, [old[1]]);
    const taken = await store.takeOver(worker, [gone], []);
    assert.deepEqual(taken.map(({ id, rated }) => [id, rated]), [["a", true], ["b", false]]);
    await begin(store, gone, old);
    clock.advance(1000);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["c"]);
    await begin(store, worker, taken);
    clock.advance(999);
    assert.deepEqual(await claim(store, worker, 5), []);
    clock.advance(1);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["d"]);
  });

  test("a run that has ended without a word of its begin counts from when that is found", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 1, ratePeriod: 1000 });
    await store.enqueue(inQueue("slow", "a", "b"));
    await store.exchange(worker, [finished(await claimOne(store, worker), handedBack)], 0);
    clock.advance(5000);
    assert.deepEqual(await claim(store, worker, 5), []);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
    clock.advance(1000);
    assert.deepEqual(ids(await claim(store, worker, 5)), ["a"]);
    await store.setQueue("slow", { rate: null, ratePeriod: null });
    assert.deepEqual(await store.check(), []);
  });

  test("starts of a long period are rounded up to a thousandth of it, and never counted too short", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 2, ratePeriod: 60_000 });
    await store.enqueue(inQueue("slow", "a", "b", "c"));
    clock.advance(1);
    await start(store, worker, 1);
    clock.advance(58);
    await start(store, worker, 1);
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 60_001 });
    clock.advance(60_000);
    assert.deepEqual(await start(store, worker, 5), []);
    clock.advance(1);
    assert.deepEqual(ids(await start(store, worker, 5)), ["c"]);
  });

  test("a clock that is set back makes a rate wait no longer than its period", async ({ store, clock }) => {
    const worker = await join(store);
    await store.setQueue("slow", { rate: 1, ratePeriod: 1000 });
    await store.enqueue(inQueue("slow", "a", "b"));
    await start(store, worker, 1);
    clock.advance(-3_600_000);
    for (let looks = 0; (await store.availability()).ready && looks < 2; looks++) {
      assert.deepEqual(await start(store, worker, 5), []);
    }
    assert.deepEqual(await store.availability(), { ready: false, dueIn: 1000 });
    clock.advance(1000);
    assert.deepEqual(ids(await start(store, worker, 5)), ["b"]);
  });

  test("workers that claim at once keep all limits together", async ({ store, connect, clock }) => {
    await store.setQueue("three", { concurrency: 3 });
    await store.setQueue("rated", { rate: 5, ratePeriod: 1000 });
    await store.setQueue("", { concurrency: 12 });
    const names = (queue: string) => Array.from({ length: 40 }, (_, number) => `${queue} ${number}`);
    for (const queue of ["three", "rated", "free"]) await store.enqueue(inQueue(queue, ...names(queue)));
    const connections = await Promise.all(Array.from({ length: 6 }, connect));
    let [open, three, rated] = [0, 0, 0];
    await Promise.all(connections.map(async (connection) => {
      const worker = await join(connection);
      for (let turns = 0; turns < 15; turns++) {
        const claims = await claim(connection, worker, 4);
        const inThree = claims.filter(({ queue }) => queue === "three").length;
        rated += claims.filter(({ queue }) => queue === "rated").length;
        three += inThree;
        open += claims.length;
        assert.ok(three <= 3, `${three} of three`);
        assert.ok(open <= 12, `${open} of all`);
        for (const run of claims) {
          open--;
          if (run.queue === "three") three--;
          await end(connection, worker, run, success);
        }
      }
    }));
    assert.equal(rated, 5);
    clock.advance(1000);
    const worker = await join(store);
    const last = await claim(store, worker, 100);
    assert.equal(last.filter(({ queue }) => queue === "rated").length, 5);
  });

  test("a full or paused queue keeps no other one waiting", async ({ store }) => {
    const worker = await join(store);
    await store.setQueue("full", { concurrency: 1 });
    await store.setQueue("paused", { paused: true });
    await store.enqueue([
      ...["f1", "f2", "f3"].map((id) => newJob(id, { queue: "full", priority: 9 })),
      ...["p1", "p2", "p3"].map((id) => newJob(id, { queue: "paused", priority: 9 })),
      ...newJobs("d1", "d2"),
    ]);
    assert.deepEqual(ids(await claim(store, worker, 2)), ["f1", "d1"]);
    assert.deepEqual(ids(await claim(store, worker, 2)), ["d2"]);
  });

  test("a job of a limited queue is claimed in the exchange that ends what it waits for", async ({ store }) => {
    const worker = await join(store);
    await store.setQueue("full", { concurrency: 1 });
    await store.enqueue([newJob("p"), newJob("c", { queue: "full", after: ["p"] })]);
    const run = await claimOne(store, worker);
    assert.deepEqual(ids((await store.exchange(worker, [finished(run, success)], 1)).claims), ["c"]);
  });

  test("others are told of a place that has become free, of limits and of pauses", async ({ store, connect }) => {
    const other = await connect();
    const worker = await join(other);
    await other.setQueue("one", { concurrency: 1 });
    await other.enqueue(inQueue("one", "a", "b"));
    const run = await claimOne(other, worker);
    const changes: Record<string, () => Promise<unknown>> = {
      "a place": () => end(other, worker, run, success),
      "a pause": () => other.pauseQueues(["one"], true),
      "its end": () => other.pauseQueues(["one"], false),
      "a limit": () => other.setQueue("one", { concurrency: 5 }),
      "a move": () => other.moveJobs(["b"], "two"),
    };
    for (const [name, change] of Object.entries(changes)) {
      await waitFor(`quiet before ${name}`, () => !store.changed());
      await change();
      await waitFor(`news of ${name}`, () => store.changed());
    }
  });

  test("work is left while a worker can expect some without anybody's act", async ({ store, clock }) => {
    const worker = await join(store);
    assert.equal(await store.isWorkLeft(), false);
    await store.enqueue([newJob("a", { queue: "a" }), newJob("held", { held: true })]);
    assert.equal(await store.isWorkLeft(), true);
    assert.equal(await store.isWorkLeft(["default", "b"]), false);
    await store.setQueue("a", { concurrency: 1, rate: 1, ratePeriod: 1000 });
    await store.enqueue(inQueue("a", "full"));
    const run = await claimOne(store, worker);
    assert.equal(await store.isWorkLeft(["default"]), false);
    await end(store, worker, run, failure);
    assert.equal(await store.isWorkLeft(["a"]), true);
    await store.pauseQueues(["a"], true);
    assert.equal(await store.isWorkLeft(), false);
    await store.pauseQueues(["a"], false);
    await store.pauseQueues([""], true);
    assert.equal(await store.isWorkLeft(), false);
    await store.pauseQueues([""], false);
    clock.advance(2000);
    const [again] = await claim(store, worker, 1);
    await store.pauseQueues(["a"], true);
    // It runs: it may still become dead.
    assert.equal(await store.isWorkLeft(), true);
    await end(store, worker, again, success);
    assert.equal(await store.isWorkLeft(), false);
  });

  test("queues are made by jobs and by settings, and tell how many jobs they have", async ({ store }) => {
    const settings = {
      paused: false,
      concurrency: null,
      rate: null,
      ratePeriod: null,
      nextStart: null,
      maxRetries: null,
      timeout: null,
    };
    const none = { pending: 0, processing: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };
    assert.deepEqual(await store.queues(), [
      { name: "", ...settings, counts: none },
      { name: "default", ...settings, counts: none },
    ]);
    const worker = await join(store);
    await store.enqueue([...newJobs("d1", "d2"), ...inQueue("b", "b1", "b2")]);
    await store.setQueue("a", { maxRetries: 0, timeout: 5000 });
    await store.setQueue("b", { concurrency: 3, rate: 10, ratePeriod: 60_000, paused: true });
    await end(store, worker, await claimOne(store, worker), success);
    await store.cancel(["b1"]);
    const total = { ...none, pending: 2, completed: 1, cancelled: 1 };
    assert.deepEqual(await store.queues(), [
      { name: "", ...settings, counts: total },
      { name: "a", ...settings, maxRetries: 0, timeout: 5000, counts: none },
      {
        name: "b",
        ...settings,
        paused: true,
        concurrency: 3,
        rate: 10,
        ratePeriod: 60_000,
        counts: { ...none, pending: 1, cancelled: 1 },
      },
      { name: "default", ...settings, counts: { ...none, pending: 1, completed: 1 } },
    ]);
    assert.deepEqual([...(await store.enqueueDefaults()).queues], [["a", { maxRetries: 0, timeout: 5000 }]]);
  });

  test("a queue is removed when it has no jobs", async ({ store }) => {
    await store.enqueue(inQueue("a", "1", "2"));
    await assert.rejects(store.removeQueue("a"), told("conflict", `"a"`, "2 jobs"));
    await store.remove(["1", "2"]);
    await store.removeQueue("a");
    assert.deepEqual((await store.queues()).map(({ name }) => name), ["", "default"]);
    await assert.rejects(store.removeQueue("a"), told("not_found"));
    await assert.rejects(store.removeQueue(""), told("not_found"));
    await assert.rejects(store.removeQueue("default"), told("conflict"));
    await store.enqueue(inQueue("a", "3"));
    assert.equal((await jobById(store, "3")).queue, "a");
  });

  test("jobs move to another queue in any state but processing, all that are named or none", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([
      newJob("runs", { priority: 1 }),
      ...newJobs("waits", "done"),
      newJob("later", { delay: 5000 }),
    ]);
    const [runs] = await claim(store, worker, 1);
    await store.cancel(["done"]);
    await assert.rejects(
      store.moveJobs(["waits", "runs"], "b"),
      told("conflict", `"runs" cannot be moved: its state is processing`),
    );
    await assert.rejects(store.moveJobs(["nobody"], "b"), told("not_found"));
    assert.deepEqual((await store.queues()).map(({ name }) => name), ["", "default"]);
    assert.deepEqual((await store.moveJobs(["waits", "done", "later"], "b")).ids, ["waits", "done", "later"]);
    assert.equal((await jobById(store, "waits")).queue, "b");
    await end(store, worker, runs, success);
    assert.deepEqual((await store.moveJobs({ kinds: ["completed", "cancelled"] }, "c")).ids, [
      "runs",
      "done",
    ]);
    assert.deepEqual((await store.moveJobs({ search: "nothing of that" }, "d")).ids, []);
    const counted = (await store.queues()).map((
      { name, counts },
    ) => [name, counts.pending, counts.completed, counts.cancelled]);
    assert.deepEqual(counted, [["", 2, 1, 1], ["b", 2, 0, 0], ["c", 0, 1, 1], ["default", 0, 0, 0]]);
    assert.equal(await store.deaths(), 0);
    const limited = await join(store, { queues: ["b"] });
    assert.deepEqual(ids(await claim(store, limited, 5)), ["waits"]);
    await store.moveJobs(["later"], "default");
    assert.equal((await jobById(store, "later")).queue, "default");
  });
}
