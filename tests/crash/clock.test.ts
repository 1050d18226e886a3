/**
 * The system clock jumps by an hour: what waits for a time of day is early or late by no more than that, what is
 * measured (timeouts) is not concerned, and nothing runs twice. The worker is in this process, its clock is the test's.
 */

import assert from "node:assert/strict";
import { configFrom } from "../../src/job/settings.ts";
import { readIfThere } from "../../src/base/files.ts";
import type { NewJob } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import type { Registration, Store } from "../../src/store/store.ts";
import { ownIdentity, takeSnapshot } from "../../src/worker/host/processes.ts";
import { createRecovery, type Recovered } from "../../src/worker/lease/recovery.ts";
import { openRunnerPool } from "../../src/worker/run/runner_pool.ts";
import { makeSpool } from "../../src/worker/spool/spool.ts";
import { createWorker, type Worker } from "../../src/worker/worker.ts";
import { type Driver, drivers } from "../helpers/drivers.ts";
import { driverTest } from "../helpers/driver_test.ts";
import { killAllWith, untilNoneWith } from "../helpers/host_processes.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { type Clock, jobById, manualClock, newJob } from "../store/suite/harness.ts";

const hour = 3_600_000;

/** A queue whose clock the test moves. */
interface ClockQueue {
  path: string;
  clock: Clock;
  /** Another connection than the worker's. */
  store: Store;
  enqueue(...jobs: Array<Partial<NewJob> & { id: string; command: string }>): Promise<unknown>;
  /** Starts a worker in this process. */
  start(): Promise<Started>;
  read(name: string): string;
  reaches(id: string, state: string): Promise<void>;
}

interface Started {
  id: number;
  worker: Worker;
  ended: Promise<string>;
}

/** Registers a test that gets a queue, once for each driver; not on Windows, whose commands are not these. */
function clockTest(name: string, body: (queue: ClockQueue) => Promise<void>): void {
  // A runner is not waited for when it is let go: it ends by itself, after its command.
  const options = { ignore: Deno.build.os === "windows", sanitizeResources: false, sanitizeOps: false };
  for (const driver of drivers) driverTest(driver, `clock: ${name}`, () => runOn(driver, body), options);
}

async function runOn(driver: Driver, body: (queue: ClockQueue) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const place = stack.use(driver.place(path));
  const clock = manualClock();
  const open = async () =>
    stack.use({
      ...await openStore(place.url, { missing: "create", durable: false, clock: clock.now }),
      // For a queue on a server it would be with what the user's programs keep.
      spool: `${path}/spool`,
    });
  const store = await open();
  makeSpool(store.spool);
  const started: Started[] = [];
  const snapshot = await takeSnapshot();
  async function start(): Promise<Started> {
    const own = await open();
    const number = started.length + 1;
    // As if each had a manager of its own: those look after each other.
    const registration: Omit<Registration, "lease"> = {
      role: "worker",
      manager: -number,
      number,
      concurrency: 2,
      identity: ownIdentity(snapshot),
    };
    const registered = Promise.withResolvers<number>();
    const settings = configFrom(await own.settings());
    const worker = createWorker(own, openRunnerPool(snapshot.boot), settings, async ({ lease }) => {
      const id = await own.register({ ...registration, lease });
      registered.resolve(id);
      return id;
    }, {
      manager: -number,
      number,
      concurrency: 2,
      queues: null,
      drain: false,
      replacement: false,
      inContainer: false,
      folder: null,
    });
    const ended = worker.run();
    started.push({ id: await registered.promise, worker, ended });
    return started.at(-1)!;
  }
  try {
    await body({
      path,
      clock,
      store,
      // The commands' environment tells whose they are.
      enqueue: (...jobs) =>
        store.enqueue(jobs.map((job) => newJob(job.id, { cwd: path, env: { TEST: path }, ...job }))),
      start,
      read: (name) => readIfThere(`${path}/${name}`) ?? "",
      reaches: async (id, state) =>
        void await waitFor(
          `job ${id} in state ${state}`,
          async () => (await jobById(store, id)).state === state,
          () => jobById(store, id),
        ),
    });
    await untilNoneWith(path);
  } finally {
    for (const { worker } of started) worker.stop(0);
    await Promise.all(started.map(({ ended }) => ended));
    await killAllWith(path);
  }
}

const ranOnce = (queue: ClockQueue) => waitFor("the command to run", () => queue.read("ran") !== "");

clockTest("a retry is early by the jump forward, and no more", async (queue) => {
  // 1000 s after the first run, and 1000 s * 1000, but at most an hour, after the second.
  await queue.enqueue({ id: "a", command: "echo ran >>ran; exit 1", baseBackoff: 1000, maxRetries: 2 });
  await queue.start();
  await queue.reaches("a", "failed");
  queue.clock.advance(999_999);
  // A worker looks at the time when somebody else has changed anything, as every heartbeat does.
  await queue.enqueue({ id: "b", command: "true" });
  await queue.reaches("b", "completed");
  assert.equal(queue.read("ran"), "ran\n", "not a millisecond before its time");
  queue.clock.advance(hour);
  await queue.enqueue({ id: "c", command: "true" });
  await waitFor("the second run", () => queue.read("ran") === "ran\nran\n");
  await queue.reaches("a", "failed");
  const { nextAttemptAt } = await jobById(queue.store, "a");
  assert.equal(nextAttemptAt, queue.clock.now() + hour, "counted from the new time");
});

clockTest("a jump back keeps no new job waiting, and a retry by the jump only", async (queue) => {
  await queue.enqueue({ id: "a", command: "echo ran >>ran; [ -e go ]", baseBackoff: 10, maxRetries: 1 });
  await queue.start();
  await queue.reaches("a", "failed");
  const due = (await jobById(queue.store, "a")).nextAttemptAt!;
  queue.clock.advance(-hour);
  await queue.enqueue({ id: "b", command: "exit 1", baseBackoff: 0, maxRetries: 1 });
  await queue.reaches("b", "dead");
  assert.deepEqual((await queue.store.attempts("b")).map(({ number }) => number), [1, 2]);
  assert.deepEqual([(await jobById(queue.store, "a")).state, queue.read("ran")], ["failed", "ran\n"]);
  Deno.writeTextFileSync(`${queue.path}/go`, "");
  // Its time comes an hour later than it was meant, as this clock goes.
  queue.clock.advance(hour + 10_000);
  assert.ok(queue.clock.now() >= due);
  await queue.enqueue({ id: "c", command: "true" });
  await queue.reaches("a", "completed");
});

for (const jump of [hour, -hour]) {
  const name = jump > 0 ? "forward" : "back";

  clockTest(`a jump ${name} ends no command before its timeout, and keeps none beyond it`, async (queue) => {
    const wait = `echo ran >>ran; ${untilFile("go")}`;
    await queue.enqueue({ id: "long", command: wait, timeout: 120_000 });
    await queue.start();
    await ranOnce(queue);
    queue.clock.advance(jump);
    await queue.enqueue({ id: "short", command: "echo begun; sleep 600", timeout: 300, maxRetries: 0 });
    await queue.reaches("short", "dead");
    assert.deepEqual((await queue.store.attempts("short")).map(({ outcome }) => outcome), ["timed_out"]);
    queue.clock.advance(jump);
    Deno.writeTextFileSync(`${queue.path}/go`, "");
    await queue.reaches("long", "completed");
    assert.equal(queue.read("ran"), "ran\n");
    assert.deepEqual((await queue.store.attempts("long")).map(({ outcome }) => outcome), ["exited"]);
  });

  clockTest(`after a jump ${name} workers that look after each other run nothing twice`, async (queue) => {
    // Long enough for a machine that is busy with other things: a worker that is late hands its job back, and rightly.
    await queue.store.setSetting("lease", "8s");
    const command = `echo ran >>ran; ${untilFile("go")}; echo done`;
    await queue.enqueue({ id: "a", command });
    const workers = [await queue.start(), await queue.start()];
    await ranOnce(queue);
    const beats = async () => new Map((await queue.store.processes()).map((p) => [p.id, p.heartbeatAt]));
    queue.clock.advance(jump);
    const jumpedTo = queue.clock.now();
    // Each has renewed its lease by the new time, and has looked for the other at least once before that.
    await waitFor(
      "a heartbeat of both",
      async () => {
        const found = await beats();
        return found.size === 2 && [...found.values()].every((at) => at === jumpedTo);
      },
      () => queue.store.processes(),
    );
    Deno.writeTextFileSync(`${queue.path}/go`, "");
    await queue.reaches("a", "completed");
    assert.equal(queue.read("ran"), "ran\n");
    const attempts = await queue.store.attempts("a");
    assert.deepEqual(attempts.map(({ number, outcome, output }) => ({ number, outcome, output })), [
      { number: 1, outcome: "exited", output: "done\n" },
    ]);
    assert.equal(workers.length, 2);
  });
}

clockTest(
  "a lease that only seems to be over: the command is adopted, its end recorded once",
  async (queue) => {
    await queue.enqueue({ id: "a", command: `echo ran >>ran; ${untilFile("go")}; echo done`, maxRetries: 0 });
    const first = await queue.start();
    await ranOnce(queue);
    queue.clock.advance(hour);
    // Twice, before the worker's next heartbeat: the second look believes it.
    const other = await queue.store.register({
      role: "worker",
      manager: null,
      number: 9,
      concurrency: 1,
      identity: { host: "other", boot: "b", pid: 1, start: "s" },
      lease: hour,
    });
    const recovery = createRecovery(queue.store);
    assert.deepEqual(await recovery.recover(other), [], "the first look takes nothing from who is there");
    const [found, ...rest] = await recovery.recover(other);
    assert.deepEqual([found?.kind, found?.claim.attempt, rest], ["running", 1, []]);
    assert.equal(found.claim.elapsed, hour, "the time that an adopted command has run is by the clock");
    Deno.writeTextFileSync(`${queue.path}/go`, "");
    const { command } = found as Recovered & { kind: "running" };
    assert.deepEqual(await command.ended, { kind: "exited", status: 0 });
    // Who has lost it records nothing, whatever it saw. That it goes on, after the heartbeat to which the new length leads
    // at once, is shown by another job.
    await queue.store.setSetting("lease", "29s");
    await queue.enqueue({ id: "b", command: "true" });
    await queue.reaches("b", "completed");
    assert.equal((await jobById(queue.store, "a")).state, "processing");
    assert.deepEqual([queue.read("ran"), await queue.store.attempts("a")], ["ran\n", []]);
    assert.notEqual(first.id, other);
  },
);
