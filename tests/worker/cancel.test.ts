/** Cancelling jobs of the real program: what runs is ended with its whole tree, and only that. */

import assert from "node:assert/strict";
import { canSeeEnvironments, kill, processesWith, untilNoneWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { endless, isWindows, note, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest(
  "cancel ends a running job with its tree, takes a waiting one out, and leaves the others",
  async (queue) => {
    await queue.enqueue(
      {
        id: "tree",
        command: isWindows
          ? steps("echo begin", endless)
          : "echo begin; sleep 99 & setsid sleep 99 & sleep 99",
        env: { MARK: `${queue.path}/tree` },
      },
      { id: "neighbour", command: steps(untilFile("go"), "echo end") },
      { id: "waiting", command: note("ran", "waiting") },
    );
    queue.start("--concurrency", "2");
    await queue.reaches("neighbour", "processing");
    await waitFor("the command", () => queue.spooled().some((name) => name.endsWith(".status")));
    const { code, stdout } = await queue.run("cancel", "tree", "waiting");
    assert.deepEqual([code, stdout], [0, "Cancelling job tree.\nJob waiting cancelled.\n"]);
    const job = await queue.reaches("tree", "cancelled");
    assert.deepEqual([job.attempts, job.lastError], [1, null]);
    assert.deepEqual(await queue.outcomes("tree"), [["cancelled", null]]);
    await untilNoneWith(`${queue.path}/tree`);
    assert.equal((await queue.job("neighbour")).state, "processing");
    queue.touch("go");
    await queue.reaches("neighbour", "completed");
    assert.equal(queue.read("waiting"), "");
    assert.match((await queue.run("status")).stdout, /^ {2}cancelled {2}: 2$/m);
  },
  { ignore: !canSeeEnvironments },
);

queueTest("cancel reaches a job whose worker was killed, once another has adopted it", async (queue) => {
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), "sleep 99") });
  const manager = queue.start();
  await waitFor("the command", () => queue.read("ran") !== "");
  await kill(await manager.workerPid());
  assert.equal((await queue.run("cancel", "a")).code, 0);
  await queue.reaches("a", "cancelled");
  assert.equal(queue.read("ran"), "ran\n");
  assert.ok(manager.lines.some((line) => /adopted job a/.test(line)));
}, { ignore: !canSeeEnvironments });

queueTest(
  "what a worker was ending when it was killed is ended by the next one, and then recorded",
  async (queue) => {
    await queue.store.setSetting("grace", "10m");
    // Its shell ends on TERM; what else it has started does not.
    const deaf = "(trap '' TERM; touch ready; while :; do sleep 0.1; done)";
    await queue.enqueue({ id: "a", command: `${deaf} & sleep 99`, env: { MARK: `${queue.path}/a` } });
    const manager = queue.start();
    await waitFor("the command", () => isThere(queue.path, "ready"));
    await queue.run("cancel", "a");
    await waitFor("the end of its shell", () => /^exit /m.test(queue.readSpooled("1.1.status")));
    await kill(await manager.workerPid());
    await queue.reaches("a", "cancelled");
    assert.deepEqual(await processesWith(`${queue.path}/a`), []);
  },
  { ignore: !canSeeEnvironments || posixOnly("traps of signals") },
);

/** A command of two processes that do not end by TERM. */
const stubborn = `trap 'touch termed' TERM; touch ready; sleep 99 & ${untilFile("never")}`;

queueTest(
  "a command that does not end is killed after the grace as it is set when it is cancelled",
  async (queue) => {
    await queue.store.setSetting("grace", "10m");
    await queue.enqueue({ id: "a", command: stubborn, env: { MARK: `${queue.path}/a` } });
    queue.start();
    await queue.reaches("a", "processing");
    await waitFor("the command", () => isThere(queue.path, "ready"));
    await queue.store.setSetting("grace", "50ms");
    await queue.run("cancel", "a");
    await queue.reaches("a", "cancelled");
    await untilNoneWith(`${queue.path}/a`);
  },
  { ignore: !canSeeEnvironments || posixOnly("traps of signals") },
);

queueTest(
  "a command that is cancelled gets the grace; a stop of its worker does not wait for all of it",
  async (queue) => {
    await queue.store.setSetting("grace", "10m");
    const command =
      "trap 'touch termed' TERM; touch ready; while :; do sleep 0.1; [ ! -e termed ] || echo >>ticks; done";
    await queue.enqueue({ id: "a", command, env: { MARK: `${queue.path}/a` } });
    const manager = queue.start();
    await waitFor("the command", () => isThere(queue.path, "ready"));
    await queue.run("cancel", "a");
    // Longer than the 5 seconds that a timeout gives.
    await waitFor("six seconds after the TERM", () => queue.read("ticks").length >= 60);
    await queue.run("worker", "stop", "--now");
    await manager.status;
    assert.deepEqual(await queue.outcomes("a"), [["cancelled", null]]);
    assert.equal((await queue.job("a")).state, "cancelled");
  },
  { ignore: !canSeeEnvironments || posixOnly("traps of signals") },
);

const isThere = (path: string, name: string) =>
  [...Deno.readDirSync(path)].some((file) => file.name === name);
