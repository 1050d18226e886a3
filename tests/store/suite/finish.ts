/** Recording how runs ended. */

import assert from "node:assert/strict";
import type { Outcome } from "../../../src/job/job.ts";
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
  later,
  newJob,
  newJobs,
  printed,
  success,
} from "./harness.ts";

export function finishCases(test: Case): void {
  test("a success completes the job", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, worker);
    clock.advance(1000);
    await end(store, worker, run, success);
    const job = await jobById(store, "a");
    assert.deepEqual(
      [job.state, job.attempts, job.updatedAt, job.nextAttemptAt, job.lastError],
      ["completed", 1, clock.now(), null, null],
    );
  });

  test("a failure makes the job wait, with the error and the time it is due", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await end(store, worker, await claimOne(store, worker), failure);
    const job = await jobById(store, "a");
    assert.deepEqual(
      [job.state, job.attempts, job.nextAttemptAt, job.lastError],
      ["failed", 1, clock.now() + 2000, "error of a"],
    );
  });

  test("a job is dead after its last retry", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { maxRetries: 2 })]);
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      const run = await claimOne(store, worker);
      assert.equal(run.attempt, attempt);
      await end(store, worker, run, failure);
      const { dueIn } = await store.availability();
      delays.push(dueIn ?? -1);
      clock.advance(dueIn ?? 0);
    }
    assert.deepEqual(delays, [2000, 4000, -1]);
    const job = await jobById(store, "a");
    assert.deepEqual(
      [job.state, job.attempts, job.nextAttemptAt, job.lastError],
      ["dead", 3, null, "error of a"],
    );
    assert.equal(await store.deaths(), 1);
  });

  test("a success after a failure clears the error", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    await end(store, worker, await claimOne(store, worker), failure);
    clock.advance(2000);
    await end(store, worker, await claimOne(store, worker), success);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.attempts, job.lastError], ["completed", 2, null]);
  });

  test("every run is kept with how it ended", async ({ store, clock }) => {
    const worker = await join(store, {
      identity: { host: "box/pid:[4026531836]", boot: "boot", pid: 4711, start: "start" },
    });
    await store.enqueue([newJob("a", { baseBackoff: 0, maxRetries: 100 })]);
    const outcomes: Array<[outcome: Outcome, exitCode: number | null, signal: string | null]> = [
      [{ kind: "exited", code: 3 }, 3, null],
      [{ kind: "signaled", signal: "SIGKILL", code: 137 }, 137, "SIGKILL"],
      [{ kind: "timed_out", timeout: 1000 }, null, null],
      [{ kind: "spawn_failed", message: "no shell" }, null, null],
      [{ kind: "lost", message: "gone" }, null, null],
      [{ kind: "exited", code: -1_073_741_510 }, -1_073_741_510, null],
      [{ kind: "exited", code: -(2 ** 31) }, -(2 ** 31), null],
      [{ kind: "exited", code: 2 ** 31 - 1 }, 2 ** 31 - 1, null],
      [{ kind: "exited", code: 0 }, 0, null],
    ];
    const expected = [];
    for (const [index, [outcome, exitCode, signal]] of outcomes.entries()) {
      const run = await claimOne(store, worker);
      clock.advance(100 + index);
      const output = `output ${index} é中😀\n`;
      const errorOutput = index % 2 === 0 ? "" : `error output ${index}\n`;
      await store.exchange(worker, [finished(run, outcome, { output, errorOutput })], 0);
      expected.push({
        run: index + 1,
        number: index + 1,
        worker: "box:4711",
        startedAt: clock.now() - 100 - index,
        endedAt: clock.now(),
        outcome: outcome.kind,
        exitCode,
        signal,
        output,
        errorOutput,
      });
      assert.deepEqual(await printed(store, "a"), { output, errorOutput });
    }
    assert.deepEqual(await store.attempts("a"), expected);
    assert.deepEqual((await store.attempts("a")).map((attempt) => attempt.number), [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
    ]);
  });

  test("a result that is found later has the time of its end, and the worker that ran it", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, worker);
    clock.advance(60_000);
    const result = { ...finished(run, success), endedAt: run.startedAt + 5000, worker: "box:4711" };
    await store.exchange(worker, [result], 0);
    const [attempt] = await store.attempts("a");
    assert.deepEqual([attempt.worker, attempt.endedAt - attempt.startedAt], ["box:4711", 5000]);
    assert.equal((await jobById(store, "a")).updatedAt, clock.now());
  });

  test("a large output is kept whole", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const output = "0123456789abcde\n".repeat(65_536);
    await store.exchange(worker, [finished(await claimOne(store, worker), success, { output })], 0);
    assert.equal((await printed(store, "a")).output, output);
  });

  test("a job that is handed back is pending, first in line, its attempt not counted", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b"));
    await end(store, worker, await claimOne(store, worker), handedBack);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.attempts, job.nextAttemptAt], ["pending", 0, null]);
    const again = await claimOne(store, worker);
    assert.deepEqual([again.id, again.attempt, again.run], ["a", 1, 2]);
    const [kept] = await store.attempts("a");
    assert.deepEqual([kept.run, kept.number, kept.outcome, kept.exitCode], [1, 1, "handed_back", null]);
  });

  test("a job that asks for a later try waits, pending, with the reason; its attempt is not counted", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { maxRetries: 0 })]);
    for (const [index, delay] of [2000, 4000, 8000].entries()) {
      const claimed = await claimOne(store, worker);
      assert.deepEqual([claimed.attempt, claimed.run, claimed.postponed], [1, index + 1, index]);
      await end(store, worker, claimed, later);
      const job = await jobById(store, "a");
      assert.deepEqual(
        [job.state, job.attempts, job.nextAttemptAt, job.lastError],
        ["pending", 0, clock.now() + delay, "error of a"],
      );
      assert.deepEqual(await claim(store, worker), []);
      clock.advance(delay);
    }
    await end(store, worker, await claimOne(store, worker), success);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.attempts, job.lastError], ["completed", 1, null]);
    const kept = (await store.attempts("a")).map((
      { number, outcome, exitCode },
    ) => [number, outcome, exitCode]);
    assert.deepEqual(kept, [[1, "exited", 75], [1, "exited", 75], [1, "exited", 75], [1, "exited", 0]]);
  });

  test("of runs that ask for a later try in a row only the last few are kept", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { maxRetries: 9 })]);
    const next = async (outcome: Outcome) => {
      const claimed = await claimOne(store, worker);
      await end(store, worker, claimed, outcome);
      clock.advance(3_600_000);
      return claimed.postponed;
    };
    const counts: number[] = [];
    counts.push(await next(failure));
    for (let run = 2; run <= 9; run++) counts.push(await next(later));
    // A stop of the worker is no end of the row, a failure is; a retry begins anew.
    counts.push(await next(handedBack), await next(later), await next(failure), await next(later));
    await store.cancel(["a"]);
    await store.retry(["a"]);
    counts.push(await next(success));
    assert.deepEqual(counts, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 0, 0]);
    const runs = (await store.attempts("a")).map(({ run }) => run);
    assert.deepEqual(runs, [1, 5, 7, 9, 10, 11, 12, 13, 14]);
  });

  test("a job that was cancelled while it runs gets no later try", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, worker);
    await store.cancel(["a"]);
    await end(store, worker, run, later);
    const job = await jobById(store, "a");
    assert.deepEqual([job.state, job.nextAttemptAt], ["cancelled", null]);
    clock.advance(10_000);
    assert.deepEqual(await claim(store, worker), []);
  });

  test("results of several jobs are recorded in one exchange, which claims more", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a"), newJob("b", { maxRetries: 0 }), newJob("c"), newJob("d"), newJob("e")]);
    const [a, b, c] = await claim(store, worker, 3);
    const { claims, stale } = await store.exchange(
      worker,
      [finished(a, success), finished(b, failure), finished(c, handedBack)],
      2,
    );
    assert.deepEqual(stale, []);
    assert.deepEqual(ids(claims), ["c", "d"]);
    const states = (await store.list({ limit: 10 })).map(({ id, state }) => [id, state]);
    assert.deepEqual(states, [
      ["a", "completed"],
      ["b", "dead"],
      ["c", "processing"],
      ["d", "processing"],
      ["e", "pending"],
    ]);
  });

  test("a result is recorded once: the second is stale and changes nothing", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a"), newJob("b")]);
    const [a, b] = await claim(store, worker, 2);
    await end(store, worker, a, success);
    const before = await store.list({ limit: 10 });
    clock.advance(1000);
    assert.deepEqual((await store.exchange(worker, [finished(a, failure)], 0)).stale, [a.seq]);
    assert.deepEqual(await store.list({ limit: 10 }), before);
    assert.equal((await store.attempts("a")).length, 1);
    const twice = await store.exchange(worker, [finished(b, failure), finished(b, success)], 0);
    assert.deepEqual(twice.stale, [b.seq]);
    assert.equal((await jobById(store, "b")).state, "failed");
    await store.enqueue(newJobs("c"));
    const c = await claimOne(store, worker);
    const again = await store.exchange(worker, [finished(c, success), finished(c, success)], 0);
    assert.deepEqual(again.stale, [c.seq]);
    assert.equal((await store.attempts("c")).length, 1);
  });

  test("a result of an earlier run does not end the run that goes on", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0 })]);
    const first = await claimOne(store, worker);
    await end(store, worker, first, failure);
    const second = await claimOne(store, worker);
    assert.deepEqual((await store.exchange(worker, [finished(first, success)], 0)).stale, [first.seq]);
    assert.equal((await jobById(store, "a")).state, "processing");
    assert.equal(await store.isRunning(first.seq, first.run), false);
    assert.equal(await store.isRunning(second.seq, second.run), true);
    await end(store, worker, second, success);
    assert.equal(await store.isRunning(second.seq, second.run), false);
  });

  test("a stale result does not keep the others of its exchange from being recorded", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b", "c"));
    const [a, b] = await claim(store, worker, 2);
    await end(store, worker, a, success);
    const { claims, stale } = await store.exchange(worker, [finished(a, failure), finished(b, success)], 1);
    assert.deepEqual(stale, [a.seq]);
    assert.deepEqual(ids(claims), ["c"]);
    assert.equal((await jobById(store, "b")).state, "completed");
  });

  test("successes of one exchange are recorded once each, and only where their claim is the newest", async ({ store, clock }) => {
    const worker = await join(store);
    await store.enqueue([newJob("a", { baseBackoff: 0, queue: "other" }), ...newJobs("b", "c", "d", "e")]);
    const runs = await claim(store, worker, 5);
    const byId = new Map(runs.map((run) => [run.id, run]));
    const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((id) => byId.get(id)!);
    await end(store, worker, a, failure);
    const [again] = await claim(store, worker, 1);
    await end(store, worker, b, success);
    clock.advance(1000);
    const { stale } = await store.exchange(
      worker,
      [
        finished(a, success),
        finished(again, success),
        finished(b, success),
        finished(c, success),
        finished(d, success),
        finished(e, success, { output: "said" }),
        { ...finished(d, success), seq: 1_000_000 },
      ],
      0,
    );
    assert.deepEqual(stale, [a.seq, b.seq, 1_000_000]);
    for (const run of [again, c, d, e]) {
      const job = await jobById(store, run.id);
      assert.deepEqual(
        [job.state, job.attempts, job.lastError, job.updatedAt],
        ["completed", run.attempt, null, clock.now()],
      );
      const { startedAt, ...kept } = (await store.attempts(run.id)).at(-1)!;
      assert.equal(startedAt, run.startedAt);
      const { worker: _, ...expected } = {
        ...{ run: run.run, number: run.attempt, worker: "", endedAt: clock.now(), outcome: "exited" },
        ...{ exitCode: 0, signal: null, output: run === e ? "said" : "", errorOutput: "" },
      };
      assert.deepEqual({ ...kept, worker: undefined }, { ...expected, worker: undefined });
    }
    assert.deepEqual(
      (await Promise.all(["a", "b", "c"].map((id) => store.attempts(id)))).map((runs) => runs.length),
      [2, 1, 1],
    );
    assert.equal((await store.counts()).completed, 5);
  });
}
