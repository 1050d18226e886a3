/** A stop that comes at a bad moment: before a command has begun, or when its worker is killed while it stops. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/processes.ts";
import { readStatus } from "../../src/worker/spool.ts";
import { commandTest } from "../helpers/command_test.ts";
import { kill } from "../helpers/host_processes.ts";
import { queueTest, untilFile } from "../helpers/queue_test.ts";
import { waitFor } from "../helpers/wait_for.ts";

commandTest(
  "a command that is to end before its runner has begun it is ended all the same",
  async (commands) => {
    const first = commands.start("first", untilFile("go"));
    const status = await waitFor("the first command to run", () => readStatus(first.files));
    commands.touch("go");
    await first.ended;
    // The runner, which is used again, gets the next command, but does not come to it.
    const runner = status.started!.pid;
    sendSignal(runner, "SIGSTOP");
    const second = commands.start("second", untilFile("never"));
    const ended = second.end(0);
    sendSignal(runner, "SIGCONT");
    await ended;
    let isOver = false;
    second.ended.then(() => isOver = true);
    try {
      await waitFor("the end of the second command", () => isOver);
    } finally {
      commands.touch("never");
    }
  },
);

queueTest("a worker that is killed while it hands a job back: the attempt does not count", async (queue) => {
  await queue.store.setSetting("grace", "0s");
  const asked = `echo asked >>asked; ${untilFile("go")}; exit 143`;
  const work = "[ -e asked ] || while :; do sleep 0.05; done";
  await queue.enqueue({ id: "a", command: `trap '${asked}' TERM; echo ran >>ran; ${work}`, maxRetries: 0 });
  const manager = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  const worker = await manager.workerPid();
  sendSignal(worker, "SIGTERM");
  await waitFor("the command to be asked to end", () => queue.read("asked") !== "");
  await kill(worker);
  queue.touch("go");
  const { attempts } = await queue.reaches("a", "completed");
  assert.deepEqual([attempts, queue.read("ran")], [1, "ran\nran\n"]);
  assert.deepEqual(await queue.outcomes("a"), [["handed_back", null], ["exited", 0]]);
});
