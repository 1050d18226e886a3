/** Moving a whole queue: the cases for every pair of drivers. */

import assert from "node:assert/strict";
import { moveQueue } from "../../../src/store/transfer.ts";
import type { Arrival, Moving } from "../../../src/store/transfer_types.ts";
import { QueuectlError } from "../../../src/base/errors.ts";
import type { RegisteredProcess, Store } from "../../../src/store/store.ts";
import { queueRows } from "../../helpers/queue_rows.ts";
import {
  addDead,
  claim,
  claimOne,
  type Clock,
  end,
  failure,
  finished,
  handedBack,
  ids,
  join,
  newJob,
  newJobs,
  success,
  told,
} from "./harness.ts";

/** A queue of one of the drivers. */
export interface End {
  url: string;
  connect(): Promise<Store>;
}

/** What a case gets: two queues, neither of which has been used. */
export interface Pair {
  from: End;
  to: End;
  clock: Clock;
}

export type PairCase = (name: string, body: (pair: Pair) => Promise<void>) => void;

/** All registered processes are at work. */
const all = { alive: (processes: readonly RegisteredProcess[]) => Promise.resolve([...processes]) };
/** Those that are registered are gone. */
export const none = { alive: () => Promise.resolve([]) };

/** Puts jobs of all states, with runs, outputs and settings, into a queue; nobody works on it afterwards. */
export async function fill(store: Store, clock: Clock): Promise<void> {
  await store.setSetting("max-retries", "7");
  await store.setSetting("timeout", "5m");
  await store.enqueue(newJobs("purged"));
  await store.cancel(["purged"]);
  await addDead(store, "gone-1", "gone-2", "dead");
  await store.dlqPurge(["gone-1", "gone-2"]);
  await store.dlqRetry(["dead"]);
  await addDead(store, "dead-2");
  const worker = await join(store);
  const retried = await claimOne(store, worker);
  clock.advance(1234);
  const output = "line\r\n\t\u{1F600} é \u0001\n".repeat(3);
  await store.exchange(worker, [finished(retried, success, { output, errorOutput: `${output}!` })], 0);
  await store.enqueue([
    newJob("handed back", { priority: 9 }),
    newJob("waiting", { priority: 8, baseBackoff: 1.5, timeout: 0, cwd: "/tmp/it's here" }),
    newJob("due", { priority: 7, env: { NAME: 'va"l\\ue\n$é', OTHER: "" } }),
    newJob("done", { priority: 6, attempts: 2, maxRetries: 0 }),
    newJob("later", { priority: -5, command: "printf '%s\\n' \"$HOME\"\nexit 1" }),
  ]);
  const [back, waiting, due, done] = await claim(store, worker, 4);
  await end(store, worker, back, handedBack);
  await end(store, worker, waiting, { kind: "signaled", signal: "SIGKILL", code: 137 });
  await store.exchange(worker, [
    finished(due, failure, { next: { state: "failed", delay: 0, error: "now" } }),
  ], 0);
  await end(store, worker, done, success);
  await store.enqueue(newJobs("stopped"));
  await store.cancel(["stopped"]);
  await store.leave(worker);
}

/** Claims everything there is, one by one, and tells in which order, with the numbers of each. */
async function claimAll(store: Store): Promise<Array<[string, number, number]>> {
  const worker = await join(store);
  const claims = [];
  for (let next; (next = (await claim(store, worker, 1))[0]);) claims.push(next);
  return claims.map(({ id, claim, run }) => [id, claim, run]);
}

const empty = { pending: 0, processing: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };

/** A store whose end of a move does something else. */
function changed(store: Store, change: (moving: Moving) => Partial<Moving>): Store {
  return {
    ...store,
    async moving() {
      const moving = await store.moving();
      return { ...moving, ...change(moving) };
    },
  };
}

const failing = (error: Error, before: (arrival: Arrival) => Promise<void>) => (moving: Moving) => ({
  async arrive() {
    const arrival = await moving.arrive();
    return {
      ...arrival,
      async commit() {
        await before(arrival);
        throw error;
      },
    };
  },
});

export function movingCases(test: PairCase): void {
  test("texts are found after a move, whatever was indexed on either side", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    const add = async (store: Store, name: string, count: number) => {
      using intake = await store.intake();
      intake.add(Array.from({ length: count }, (_, number) => newJob(`${name}-${number}`)));
      await intake.commit();
    };
    await add(target, "before", 2100);
    await target.remove({});
    await add(source, "needle", 1100);
    await moveQueue(source, target, all);
    const found = async (store: Store) => ids(await store.list({ search: "needle-77", limit: 100 }));
    const expected = ["needle-77", ...Array.from({ length: 10 }, (_, digit) => `needle-77${digit}`)];
    assert.deepEqual(await found(target), expected);
    assert.deepEqual(await found(target), expected);
    assert.deepEqual(await found(source), []);
    await add(source, "needle", 1100);
    assert.deepEqual(await found(source), expected);
    for (const store of [source, target]) assert.deepEqual(await store.check(), []);
  });

  test("what jobs wait for moves too", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await addDead(source, "dead");
    await source.enqueue([
      newJob("parent", { priority: 9 }),
      newJob("child", { after: ["parent"], afterAny: ["dead"] }),
      newJob("stopped", { after: ["dead"] }),
      newJob("last", { afterAny: ["child"] }),
    ]);
    const before = await queueRows(from.url);
    assert.equal(before.dependencies.length, 4);
    await moveQueue(source, target, all);
    assert.deepEqual(await queueRows(to.url), before);
    assert.deepEqual((await queueRows(from.url)).dependencies, []);
    assert.deepEqual(await source.check(), []);
    assert.deepEqual(await target.check(), []);
    const worker = await join(target);
    const parent = await claimOne(target, worker);
    assert.equal(parent.id, "parent");
    await end(target, worker, parent, success);
    assert.deepEqual((await claim(target, worker, 9)).map(({ id }) => id), ["child"]);
    await target.retry(["dead"]);
    assert.equal((await target.counts()).pending, 3);
    assert.deepEqual(await target.check(), []);
  });

  test("everything moves, with its numbers, and back", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    const before = await queueRows(from.url);
    assert.deepEqual(new Set(before.jobs.map(({ state }) => state)).size, 5, "all states but one");
    const { counts, resumed } = await moveQueue(source, target, all);
    assert.equal(resumed, false);
    assert.deepEqual(counts, { pending: 2, processing: 0, completed: 2, failed: 2, dead: 1, cancelled: 2 });
    assert.deepEqual(await target.counts(), counts);
    assert.deepEqual(await queueRows(to.url), before);
    assert.deepEqual(await target.settings(), [["max-retries", "7"], ["timeout", "5m"]]);
    assert.deepEqual(await source.counts(), empty);
    assert.equal(await source.deaths(), 0);
    assert.equal(await target.deaths(), 4);
    assert.deepEqual(await source.settings(), []);
    assert.deepEqual((await queueRows(from.url)).attempts, []);
    assert.deepEqual([await source.check(), await target.check()], [[], []]);
    await moveQueue(target, source, all);
    assert.deepEqual(await queueRows(from.url), before);
    assert.deepEqual(await target.counts(), empty);
    assert.deepEqual([await source.check(), await target.check()], [[], []]);
  });

  test("held jobs and rules of retries move along", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    const retryRules = { backoff: "linear", maxBackoff: 5000, jitter: 0.5, retryOn: [1, 2] } as const;
    await source.enqueue([newJob("a", { held: true }), newJob("b", { retryRules }), newJob("c")]);
    await source.hold(["b"]);
    await moveQueue(source, target, all);
    assert.equal(await target.countOpen(), 1);
    assert.deepEqual(ids(await claim(target, await join(target), 9)), ["c"]);
    assert.deepEqual((await target.release("all")).ids, ["a", "b"]);
    const claims = await claim(target, await join(target), 9);
    assert.deepEqual(claims.map(({ id, retryRules }) => [id, retryRules]), [["a", null], ["b", retryRules]]);
    assert.deepEqual(await target.check(), []);
  });

  test("jobs are claimed after a move in the order and under the numbers as before it", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    const old = (await queueRows(from.url)).jobs;
    await moveQueue(source, target, all);
    clock.advance(3_600_000);
    const claims = await claimAll(target);
    assert.deepEqual(claims.map(([id]) => id), ["handed back", "waiting", "due", "later"]);
    for (const [id, claim, run] of claims) {
      const job = old.find((job) => job.id === id)!;
      assert.deepEqual([claim, run], [Number(job.claim) + 1, Number(job.run) + 1], id);
    }
  });

  test("a new job after a move gets a key that no job ever had", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    await addDead(source, "last");
    const highest = Number((await queueRows(from.url)).jobs.at(-1)!.seq);
    await source.dlqPurge(["last"]);
    await moveQueue(source, target, none);
    await target.enqueue(newJobs("new"));
    await source.enqueue(newJobs("new"));
    for (const { url } of [from, to]) assert.equal((await queueRows(url)).jobs.at(-1)!.seq, highest + 1, url);
  });

  test("a result that was claimed before the move is stale after it", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(newJobs("a"));
    const worker = await join(source);
    const old = await claimOne(source, worker);
    await end(source, worker, old, handedBack);
    await source.leave(worker);
    await moveQueue(source, target, all);
    const there = await join(target);
    await claimOne(target, there);
    assert.deepEqual((await target.exchange(there, [finished(old, success)], 0)).stale, [old.seq]);
  });

  test("the settings of the source take the place of the target's, and deaths add up", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await target.setSetting("grace", "1s");
    await target.setSetting("timeout", "1s");
    await addDead(target, "a");
    await target.dlqPurge("all");
    await source.setSetting("timeout", "2s");
    await addDead(source, "b");
    await moveQueue(source, target, all);
    assert.deepEqual(await target.settings(), [["timeout", "2s"]]);
    assert.deepEqual([await source.deaths(), await target.deaths()], [0, 2]);
  });

  test("queues move with what is set for them, in place of the target's, and with what a rate counts", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(["a", "b", "c"].map((id) => newJob(id, { queue: "slow" })));
    await source.setQueue("slow", { rate: 1, ratePeriod: 60_000, maxRetries: 2 });
    await source.setQueue("default", { timeout: 1000 });
    await source.setQueue("", { concurrency: 5 });
    await source.setQueue("idle", { paused: true });
    const worker = await join(source);
    await end(source, worker, await claimOne(source, worker), success);
    await source.leave(worker);
    await target.setQueue("", { concurrency: 1, paused: true });
    await target.setQueue("slow", { concurrency: 1 });
    await target.setQueue("other", { concurrency: 1 });
    const [before, counts] = [await source.queues(), await source.counts()];
    assert.deepEqual((await moveQueue(source, target, all)).counts, counts);
    assert.deepEqual(await target.queues(), before);
    assert.deepEqual((await source.queues()).map(({ name }) => name), ["", "default"]);
    assert.equal((await source.queues())[0].concurrency, null);
    const other = await join(target);
    assert.deepEqual(await claim(target, other, 5), []);
    assert.deepEqual(await target.availability(), { ready: false, dueIn: 60_000 });
    clock.advance(60_000);
    assert.deepEqual(ids(await claim(target, other, 5)), ["b"]);
    assert.deepEqual([await source.check(), await target.check()], [[], []]);
  });

  test("an empty queue moves too", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.setSetting("timeout", "2s");
    assert.deepEqual((await moveQueue(source, target, all)).counts, empty);
    assert.deepEqual(await target.settings(), [["timeout", "2s"]]);
    await target.enqueue(newJobs("first"));
    assert.deepEqual([await source.check(), await target.check()], [[], []]);
  });

  test("an output of megabytes moves, and any number of rows", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(Array.from({ length: 2500 }, (_, number) => newJob(`job-${number}`)));
    const worker = await join(source);
    const output = "a\u{1F600}\n".repeat(600_000);
    for (const run of await claim(source, worker, 3)) {
      await source.exchange(worker, [finished(run, success, { output, errorOutput: "e" })], 0);
    }
    await source.leave(worker);
    const told: number[][] = [];
    const { counts } = await moveQueue(source, target, {
      ...all,
      progress: (...numbers) => told.push(numbers),
    });
    assert.deepEqual([counts.pending, counts.completed], [2497, 3]);
    assert.deepEqual(told.at(-1), [2500, 2500, 3]);
    assert.ok(told.length > 3, "there were several batches");
    assert.deepEqual(await target.lastOutput("job-2").then((last) => last?.output.length), output.length);
  });

  test("processes that are there keep a queue from moving, on either side", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(newJobs("a"));
    const manager = await join(source, { role: "manager" });
    const conflict = (location: string) => told("conflict", "at work", location, "worker stop");
    await assert.rejects(moveQueue(source, target, all), conflict(source.location));
    await source.leave(manager);
    const worker = await join(target);
    await assert.rejects(moveQueue(source, target, all), conflict(target.location));
    assert.deepEqual([(await source.counts()).pending, (await target.counts()).pending], [1, 0]);
    await target.leave(worker);
    // Those that are gone do not count, nor are they moved.
    await join(source);
    await moveQueue(source, target, none);
    assert.deepEqual([await source.processes(), await target.processes()], [[], []]);
  });

  test("jobs that run keep a queue from moving, also when their worker is gone", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(newJobs("a", "b"));
    const worker = await join(source);
    await claimOne(source, worker);
    await assert.rejects(
      moveQueue(source, target, none),
      told("conflict", "1 job", "may still run", "worker start"),
    );
    await source.leave(worker);
    await assert.rejects(moveQueue(source, target, none), told("conflict", "1 job", source.location));
    assert.deepEqual((await source.counts()).pending, 1);
  });

  test("a target that has jobs is refused, and both stay as they are", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(newJobs("a", "b"));
    await target.enqueue(newJobs("c", "d", "e"));
    const before = [await queueRows(from.url), await queueRows(to.url)];
    await assert.rejects(moveQueue(source, target, all), told("conflict", "has 3 jobs", target.location));
    assert.deepEqual([await queueRows(from.url), await queueRows(to.url)], before);
    // Neither is locked, or sealed.
    await Promise.all([source.enqueue(newJobs("x")), target.enqueue(newJobs("x"))]);
  });

  test("a queue does not move to itself", async ({ from, to }) => {
    const [source, other] = [await from.connect(), await from.connect()];
    await to.connect();
    await source.enqueue(newJobs("a"));
    for (const target of [source, other]) {
      await assert.rejects(
        moveQueue(source, target, all),
        told("conflict", "the same queue", source.location),
      );
    }
    assert.equal((await source.counts()).pending, 1);
  });

  test("what is enqueued while a queue moves is refused, or comes after the move", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    const others = await Promise.all(Array.from({ length: 4 }, () => from.connect()));
    await source.enqueue(Array.from({ length: 3000 }, (_, number) => newJob(`job-${number}`)));
    const added: Array<Promise<number>> = [];
    await moveQueue(source, target, {
      ...all,
      progress() {
        const other = others[added.length];
        if (!other) return;
        const id = `late-${added.length}`;
        added.push(
          other.enqueue(newJobs(id)).then(() => 1, (error) => {
            assert.ok(told("conflict", "is being moved", target.location)(error));
            return 0;
          }),
        );
      },
    });
    const late = (await Promise.all(added)).reduce((sum, one) => sum + one, 0);
    assert.ok(added.length > 0);
    assert.deepEqual([(await target.counts()).pending, (await source.counts()).pending], [3000, late]);
  });

  test("a sealed queue refuses every change, also of who is connected, and is read", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    // Statements that are prepared already.
    await source.enqueue(newJobs("before"));
    const other = await from.connect();
    const before = await queueRows(from.url);
    const moving = await source.moving();
    const move = { id: crypto.randomUUID(), place: "somewhere", location: "the 'other' place" };
    {
      await using departure = await moving.depart();
      await departure.seal(move);
    }
    const refused = told(
      "conflict",
      source.location,
      "is being moved to the 'other' place",
      "queuectl migrate",
    );
    const intake = await other.intake();
    intake.add([newJob("c")]);
    const changes: Array<() => Promise<unknown>> = [
      () => source.enqueue(newJobs("b")),
      () => intake.commit(),
      () => source.cancel(["later"]),
      () => source.dlqRetry("all"),
      () => source.dlqPurge(["dead"]),
      () => source.setSetting("timeout", "1s"),
      () => source.unsetSetting("timeout"),
      () => join(source),
      () => moving.depart(),
      () => moving.arrive(),
      () => moveQueue(source, target, all),
      () => moveQueue(target, source, all),
    ];
    for (const change of changes) await assert.rejects(change(), refused, String(change));
    intake[Symbol.dispose]();
    assert.deepEqual(await queueRows(from.url), before);
    assert.deepEqual(await source.check(), []);
    assert.equal((await source.list({ limit: 100 })).length, before.jobs.length);
    // Another move's name does nothing.
    await moving.empty(crypto.randomUUID());
    await moving.stay(crypto.randomUUID());
    assert.deepEqual(await moving.begun(), move);
    await moving.stay(move.id);
    assert.equal(await moving.begun(), null);
    assert.deepEqual(await queueRows(from.url), before);
    await source.enqueue(newJobs("b"));
  });

  test("a move whose target did not commit is taken back", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    const before = await queueRows(from.url);
    const error = new QueuectlError("database", "the disk is full");
    const lost = changed(target, failing(error, () => Promise.resolve()));
    await assert.rejects(
      moveQueue(source, lost, all),
      told("database", "the disk is full", "nothing was moved"),
    );
    assert.deepEqual(await queueRows(from.url), before);
    assert.deepEqual(await target.counts(), empty);
    await source.enqueue(newJobs("b"));
    await moveQueue(source, target, all);
    assert.equal((await target.list({ limit: 100 })).length, before.jobs.length + 1);
  });

  test("a move whose target did commit goes on, although that was not confirmed", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    const before = await queueRows(from.url);
    const error = new QueuectlError("database", "the connection was lost");
    const lost = changed(target, failing(error, (arrival) => arrival.commit()));
    assert.equal((await moveQueue(source, lost, all)).resumed, false);
    assert.deepEqual(await queueRows(to.url), before);
    assert.deepEqual(await source.counts(), empty);
    await source.enqueue(newJobs("b"));
  });

  test("a target that cannot be asked leaves the queue sealed, and the next move decides", async ({ from, to, clock }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await fill(source, clock);
    const before = await queueRows(from.url);
    const error = new QueuectlError("database", "the connection was lost");
    const unknown = changed(target, (moving) => ({
      ...failing(error, (arrival) => arrival.commit())(moving),
      hasArrived: () => Promise.reject(error),
    }));
    await assert.rejects(
      moveQueue(source, unknown, all),
      told("database", "the connection was lost", "to finish the move"),
    );
    await assert.rejects(source.enqueue(newJobs("b")), told("conflict", "is being moved"));
    const { counts, resumed } = await moveQueue(source, target, all);
    assert.equal(resumed, true);
    assert.deepEqual(counts, await target.counts());
    assert.deepEqual(await queueRows(to.url), before);
    assert.deepEqual(await source.counts(), empty);
    await source.enqueue(newJobs("b"));
  });

  test("a damaged row stops a move before anything is written", async ({ from, to }) => {
    const [source, target] = [await from.connect(), await to.connect()];
    await source.enqueue(newJobs("a"));
    const damaged = changed(source, (moving) => ({
      async depart() {
        const departure = await moving.depart();
        return {
          ...departure,
          // deno-lint-ignore require-yield -- it never gets to
          async *batches() {
            await Promise.resolve();
            throw new QueuectlError("database", "The database is damaged");
          },
        };
      },
    }));
    await assert.rejects(moveQueue(damaged, target, all), told("database", "damaged"));
    assert.deepEqual([(await source.counts()).pending, (await target.counts()).pending], [1, 0]);
    assert.deepEqual(ids(await claim(source, await join(source))), ["a"]);
  });
}
