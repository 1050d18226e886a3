/** What comes at a bad moment: a stop before a command has begun, a kill during a stop, a start during a recovery. */

import assert from "node:assert/strict";
import { ownIdentity, sendSignal, takeSnapshot } from "../../src/worker/host/processes.ts";
import { createRecovery } from "../../src/worker/lease/recovery.ts";
import { readStatus } from "../../src/worker/spool/spool.ts";
import { commandTest } from "../helpers/command_test.ts";
import { kill } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { join } from "../store/suite/harness.ts";

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
}, { ignore: posixOnly("traps of signals") });

queueTest("a worker that starts while another one looks around is not taken for gone", async (queue) => {
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), untilFile("go")), maxRetries: 0 });
  const identity = ownIdentity(await takeSnapshot());
  const worker = await join(queue.store, { identity });
  // Between its look at the processes of the host and the one at those of the queue, another worker starts.
  const store = new Proxy(queue.store, {
    get(target, name) {
      if (name !== "processes") return Reflect.get(target, name);
      return async () => {
        queue.start("--drain");
        await waitFor("the command to run", () => queue.read("ran") !== "");
        return await target.processes();
      };
    },
  });
  assert.deepEqual(await createRecovery(store).recover(worker), []);
  const roles = (await queue.store.processes()).map(({ role }) => role).sort();
  assert.deepEqual(roles, ["manager", "worker", "worker"]);
  queue.touch("go");
  await queue.reaches("a", "completed");
  assert.deepEqual([await queue.outcomes("a"), queue.read("ran")], [[["exited", 0]], "ran\n"]);
  await queue.store.leave(worker);
});

// Last: what a runner still does then is nothing that another test has begun.
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
    let isOver = false;
    second.ended.then(() => isOver = true);
    const ended = second.end(0);
    // Whoever ends it looks as often in the meantime, and sees no process of it.
    for (let look = 1; look <= 3; look++) await takeSnapshot(status.started);
    sendSignal(runner, "SIGCONT");
    await ended;
    try {
      await waitFor("the end of the second command", () => isOver);
    } finally {
      commands.touch("never");
    }
  },
);
