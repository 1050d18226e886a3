/** Stopping: running commands get their grace, then end; their jobs are handed back, and their attempts not counted. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { processesWith, untilNoneWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import type { Manager } from "../helpers/manager.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { endless, isWindows, note, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { shell, startWrapped } from "../helpers/wrapped_program.ts";

const tree = isWindows ? endless : "sleep 99 & setsid sleep 99 & sleep 99";

/** Starts workers with one command each that never ends by itself, and one more job that waits. */
async function startBusy(queue: Queue, command = tree): Promise<Manager> {
  const env = { MARK: `${queue.path}/tree` };
  await queue.enqueue(
    { id: "a", command: steps(note("ran", "ran.a"), command), env },
    { id: "b", command: steps(note("ran", "ran.b"), command), env },
    { id: "waiting", command: note("ran", "ran.waiting") },
  );
  const manager = queue.start("--count", "2");
  await waitFor(
    "both commands to run",
    () => runs(queue).every((text) => text === "ran\n"),
    () => manager.lines.join("\n"),
  );
  return manager;
}

/** What the two commands have noted, each in a file of its own: on Windows two that add to one at once lose a line. */
const runs = (queue: Queue): string[] => [queue.read("ran.a"), queue.read("ran.b")];

/** All is gone, and the queue is as it was before the workers came. */
async function assertHandedBack(queue: Queue, manager: Manager): Promise<void> {
  assert.equal((await manager.status).code, 0);
  await manager.closed;
  await untilNoneWith(`${queue.path}/tree`);
  for (const id of ["a", "b", "waiting"]) {
    const { state, attempts, lastError } = await queue.job(id);
    assert.deepEqual({ state, attempts, lastError }, { state: "pending", attempts: 0, lastError: null });
  }
  assert.deepEqual(await queue.outcomes("a"), [["handed_back", null]]);
  assert.deepEqual(runs(queue), ["ran\n", "ran\n"]);
  assert.equal(queue.read("ran.waiting"), "");
  assert.deepEqual(await queue.store.processes(), []);
  assert.equal((await queue.run("worker", "list")).stdout, "No workers running.\n");
  assert.deepEqual(queue.spooled(), []);
  assert.equal(manager.lines.filter((line) => line === "Manager: stopping workers...").length, 1);
  assert.equal(manager.lines.at(-1), "Manager: stopped");
}

queueTest(
  "worker stop ends commands that do not end within the grace, and hands their jobs back",
  async (queue) => {
    const manager = await startBusy(queue);
    const { code, stdout, stderr } = await queue.run("worker", "stop", "--grace", "100ms");
    assert.deepEqual({ code, stdout, stderr }, {
      code: 0,
      stdout: "Stopped 1 worker manager.\n",
      stderr: "",
    });
    await assertHandedBack(queue, manager);
    const again = await queue.run("worker", "stop");
    assert.deepEqual([again.code, again.stdout], [0, "No active worker manager found.\n"]);

    // What was handed back is the next worker's.
    queue.start("--count", "2");
    await waitFor("both commands to run again", () => runs(queue).every((text) => text === "ran\nran\n"));
    assert.equal((await queue.job("a")).attempts, 1);
  },
);

queueTest("worker stop --now gives no grace, and reaches every manager", async (queue) => {
  const first = await startBusy(queue);
  const second = queue.start();
  await queue.reaches("waiting", "completed");
  assert.equal((await queue.run("worker", "stop", "--now")).stdout, "Stopped 2 worker managers.\n");
  assert.deepEqual((await Promise.all([first.status, second.status])).map(({ code }) => code), [0, 0]);
  for (const id of ["a", "b"]) assert.equal((await queue.job(id)).attempts, 0);
  assert.deepEqual((await queue.store.counts()).pending, 2);
});

queueTest("a command that ends within the grace is recorded, and nothing more is claimed", async (queue) => {
  const manager = await startBusy(queue, untilFile("go"));
  const stopped = queue.run("worker", "stop", "--grace", "10m");
  await manager.line(/Worker-\d: stopping gracefully$/, 2);
  const listed = JSON.parse((await queue.run("worker", "list", "--json")).stdout);
  assert.deepEqual(listed.map((process: { stopping: boolean }) => process.stopping), [true, true, true]);
  queue.touch("go");
  assert.equal((await stopped).stdout, "Stopped 1 worker manager.\n");
  const { completed, pending } = await queue.store.counts();
  assert.deepEqual({ completed, pending, waiting: queue.read("ran.waiting") }, {
    completed: 2,
    pending: 1,
    waiting: "",
  });
});

queueTest("a second stop with a shorter grace hastens the first", async (queue) => {
  const manager = await startBusy(queue);
  const first = queue.run("worker", "stop", "--grace", "10m");
  await manager.line(/Worker-\d: stopping gracefully$/, 2);
  await queue.run("worker", "stop", "--now");
  assert.equal((await first).code, 0);
  await assertHandedBack(queue, manager);
});

queueTest(
  "worker stop names what does not end in this host, and does not say that it was stopped",
  async (queue) => {
    await queue.store.setSetting("lease", "2s");
    const manager = queue.start();
    await manager.line(/Worker-1: started$/);
    const worker = await manager.workerPid();
    sendSignal(worker, "SIGSTOP");
    const { code, stdout, stderr } = await queue.run("worker", "stop", "--now");
    assert.deepEqual([code, stdout], [4, ""]);
    assert.match(
      stderr,
      new RegExp(`^A manager or worker has not ended \\(pid ${worker}\\), .*kill -9 ${worker} .*\n$`),
    );
    sendSignal(worker, "SIGCONT");
    assert.equal((await manager.status).code, 0);
  },
  { ignore: posixOnly("signals") },
);

queueTest("TERM lets commands end, a second one ends them", async (queue) => {
  const manager = await startBusy(queue);
  await queue.store.setSetting("grace", "10m");
  manager.signal("SIGTERM");
  await manager.line(/Worker-\d: stopping gracefully$/, 2);
  assert.ok((await processesWith(`${queue.path}/tree`)).length > 0);
  manager.signal("SIGTERM");
  await assertHandedBack(queue, manager);
}, { ignore: posixOnly("signals") });

queueTest(
  "with nohup neither a manager nor its workers stop at HUP, and commands can listen to it",
  async (queue) => {
    const { path: cwd, env } = queue;
    const manager = queue.watch(
      startWrapped({ wrapper: shell("trap '' HUP"), args: ["--count", "2"], cwd, env }),
    );
    const workers = [await manager.workerPid(1), await manager.workerPid(2)];
    await manager.line(/Worker-\d: started$/, 2);
    for (const pid of [manager.pid, ...workers]) sendSignal(pid, "SIGHUP");
    await queue.enqueue({ id: "a", command: "trap 'exit 7' HUP; kill -HUP $$; exit 8", maxRetries: 0 });
    await queue.reaches("a", "dead");
    assert.deepEqual(await queue.outcomes("a"), [["exited", 7]]);
    assert.deepEqual(manager.lines.filter((line) => /stopping|termination/.test(line)), []);
    manager.signal("SIGTERM");
    assert.equal((await manager.status).code, 0);
  },
  { ignore: posixOnly("signals") },
);

for (const signal of ["SIGINT", "SIGHUP"] as const) {
  queueTest(`${signal} is a TERM with the configured grace`, async (queue) => {
    await queue.store.setSetting("grace", "100ms");
    const manager = await startBusy(queue);
    manager.signal(signal);
    await assertHandedBack(queue, manager);
  }, { ignore: posixOnly("signals") });
}
