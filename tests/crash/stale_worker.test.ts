/** A worker that stands still for longer than its lease: another one takes its jobs, and it may come back at any time. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import type { Manager } from "../helpers/manager.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** Has a job running, its worker stopped, and the job adopted by the worker of another manager. */
async function stopWorkerPastLease(
  queue: Queue,
): Promise<{ first: Manager; stopped: number; second: Manager }> {
  await queue.store.setSetting("lease", `${shortLease}ms`);
  const command = `echo ran >>ran; echo before; ${untilFile("go")}; echo after; exit 3`;
  await queue.enqueue({ id: "a", command, maxRetries: 0 });
  const first = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  const stopped = await first.workerPid();
  sendSignal(stopped, "SIGSTOP");
  const second = queue.start();
  await second.line(/adopted job a \(attempt 1\)$/);
  return { first, stopped, second };
}

/** The command ran once, and its end was recorded once. */
async function assertOneResult(queue: Queue): Promise<void> {
  const attempts = await queue.store.attempts("a");
  assert.deepEqual(
    attempts.map(({ number, outcome, exitCode, output }) => ({ number, outcome, exitCode, output })),
    [{ number: 1, outcome: "exited", exitCode: 3, output: "before\nafter\n" }],
  );
  assert.equal(queue.read("ran"), "ran\n");
}

/** The worker works again: a job that only it can take is done. */
async function assertWorks(queue: Queue, manager: Manager, other: Manager): Promise<void> {
  other.signal("SIGTERM");
  await other.status;
  await queue.enqueue({ id: "b", command: "true" });
  await manager.line(/job b completed successfully$/);
}

queueTest("a worker that comes back finds its job adopted and leaves the command alone", async (queue) => {
  const { first, stopped, second } = await stopWorkerPastLease(queue);
  sendSignal(stopped, "SIGCONT");
  // Where other hosts can take over, it has let go of the job before it asks.
  await first.line(/was taken for gone; the [01] jobs it ran belong to another worker now$/);
  await waitForRegistration(queue, stopped);
  await letEnd(queue);
  await second.line(/job a moved to DLQ$/);
  await assertOneResult(queue);
  await assertWorks(queue, first, second);
}, { ignore: posixOnly("stopped processes") });

queueTest("a worker that comes back after its command has ended records nothing", async (queue) => {
  const { first, stopped, second } = await stopWorkerPastLease(queue);
  await letEnd(queue);
  await second.line(/job a moved to DLQ$/);
  sendSignal(stopped, "SIGCONT");
  await first.line(/was taken for gone|belongs to another worker now, this result is dropped$/);
  await waitForRegistration(queue, stopped);
  await assertWorks(queue, first, second);
  await assertOneResult(queue);
  assert.deepEqual(
    first.lines.filter((line) => /claims nothing|No process|could not be written/.test(line)),
    [],
  );
}, { ignore: posixOnly("stopped processes") });

/** Lets the command end, and waits until that is recorded. */
async function letEnd(queue: Queue): Promise<void> {
  queue.touch("go");
  await queue.reaches("a", "dead");
}

/** Waits until the worker is registered, and not taken for gone. */
async function waitForRegistration(queue: Queue, pid: number): Promise<void> {
  await waitFor("the worker to be registered again", async () => {
    return (await queue.store.processes()).some((process) =>
      process.identity.pid === pid && !process.expired
    );
  }, () => queue.store.processes());
}
