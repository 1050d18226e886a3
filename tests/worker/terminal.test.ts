/** The manager in a real pseudo-terminal: Ctrl-C, and the terminal that is closed. */

import assert from "node:assert/strict";
import { isRunning, kill, untilNoneWith } from "../helpers/host_processes.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { hasTerminal, startInTerminal, type Terminal } from "../helpers/terminal.ts";
import { waitFor } from "../helpers/wait_for.ts";

const options = { ignore: !hasTerminal };

/** Has a command running under a manager that runs in a terminal. */
async function startBusy(queue: Queue): Promise<Terminal & { pid: number }> {
  await queue.enqueue({ id: "a", command: "echo ran >>ran; sleep 99", env: { MARK: `${queue.path}/tree` } });
  const terminal = startInTerminal(["worker", "start"], queue.path, queue.env);
  queue.watch(terminal.manager);
  await waitFor(
    "the command to run",
    () => queue.read("ran") !== "",
    () => terminal.manager.lines.join("\n"),
  );
  const pid = Number((await terminal.manager.line(/\(pid (\d+)\)/))[1]);
  return { ...terminal, pid };
}

async function assertHandedBack(queue: Queue, pid: number): Promise<void> {
  await waitFor("the end of the manager", async () => !await isRunning(pid));
  const { state, attempts } = await queue.reaches("a", "pending");
  assert.deepEqual({ state, attempts }, { state: "pending", attempts: 0 });
  await untilNoneWith(`${queue.path}/tree`);
  await waitFor("nobody to be registered", async () => (await queue.store.processes()).length === 0);
}

queueTest(
  "Ctrl-C is a graceful stop: it reaches the manager alone, which tells the workers",
  async (queue) => {
    await queue.store.setSetting("grace", "500ms");
    const { manager, type, close, pid } = await startBusy(queue);
    await type("\x03");
    await manager.line(/Worker-1: stopping gracefully$/);
    assert.equal((await manager.status).code, 0);
    await close();
    await assertHandedBack(queue, pid);
    await manager.line(/Manager: stopped$/);
  },
  options,
);

queueTest("a second Ctrl-C does not wait for the grace", async (queue) => {
  await queue.store.setSetting("grace", "10m");
  const { manager, type, close, pid } = await startBusy(queue);
  await type("\x03");
  await manager.line(/Worker-1: stopping gracefully$/);
  await type("\x03");
  assert.equal((await manager.status).code, 0);
  await close();
  await assertHandedBack(queue, pid);
}, options);

queueTest("closing the terminal stops the workers although they can print no more", async (queue) => {
  await queue.store.setSetting("grace", "500ms");
  const { manager, close, pid } = await startBusy(queue);
  // The terminal ends with the process that holds its other side.
  await kill(manager.pid);
  await assertHandedBack(queue, pid);
  await close();
}, options);
