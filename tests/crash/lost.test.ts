/** Commands that kill what runs them, and hosts that were started anew: attempts that leave no exit status. */

import assert from "node:assert/strict";
import { runFiles } from "../../src/worker/spool/spool.ts";
import { isRunning, kill, processesWith, untilNoneWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { isWindows, note, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest("a command that kills its worker does not stop the queue, and is not run again", async (queue) => {
  await queue.enqueue(
    { id: "killer", command: `echo ran >>ran; kill -9 $PPID; echo survived; ${untilFile("go")}` },
    { id: "next", command: "echo next" },
  );
  const manager = queue.start();
  await manager.line(/^Manager: worker pid=\d+ ended with SIGKILL$/);
  await manager.line(/adopted job killer \(attempt 1\)$/);
  queue.touch("go");
  const { attempts } = await queue.reaches("killer", "completed");
  const output = (await queue.store.lastOutput("killer"))?.output;
  assert.deepEqual([attempts, queue.read("ran"), output], [1, "ran\n", "survived\n"]);
  await queue.reaches("next", "completed");
}, { ignore: posixOnly("commands that end what runs them") });

queueTest(
  "a command that kills the shell that runs it, and itself, is lost, retried and in the end dead",
  async (queue) => {
    const mark = `${queue.path}/left-behind`;
    await queue.enqueue(
      {
        id: "killer",
        // $$ gives it a shell of its own, whose parent is the runner.
        command: "echo ran >>ran; echo said; sleep 99 & setsid sleep 99 & kill -9 $PPID $$",
        maxRetries: 1,
        env: { MARK: mark },
      },
      {
        id: "survivor",
        command: "echo ran >>ran.survivor; kill -9 $PPID; echo $$ >>pid; sleep 99",
        maxRetries: 0,
        env: { MARK: mark },
      },
      { id: "next", command: "echo next" },
    );
    const manager = queue.start();
    const dead = await queue.reaches("killer", "dead");
    assert.deepEqual([dead.attempts, await queue.outcomes("killer")], [2, [["lost", null], ["lost", null]]]);
    assert.match(dead.lastError ?? "", /^Command ended without an exit status/);
    assert.equal((await queue.store.lastOutput("killer"))?.output, "said\n");
    assert.equal(queue.read("ran"), "ran\nran\n");

    // Nobody can tell any more how it will end, so it is ended.
    await queue.reaches("survivor", "dead");
    assert.deepEqual(await queue.outcomes("survivor"), [["lost", null]]);
    await queue.reaches("next", "completed");
    await untilNoneWith(mark);
    assert.deepEqual(manager.lines.filter((line) => /Manager: worker pid=\d+ ended/.test(line)), []);
    await waitFor("an empty spool", () => queue.spooled().length === 0, () => queue.spooled());
  },
  { ignore: posixOnly("commands that end what runs them") },
);

queueTest("kill -9 of everything, commands too: lost, and run again by the next start", async (queue) => {
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), untilFile("go")) });
  const first = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  await kill(first.pid);
  await kill(await first.workerPid());
  // The runner first, so that it cannot record how its command ended.
  const runner = Number(queue.readSpooled("1.1.status").split(" ")[1]);
  if (!isWindows) await kill(runner);
  for (const pid of await processesWith(queue.path)) await kill(pid);
  queue.touch("go");
  queue.start("--drain");
  const { attempts } = await queue.reaches("a", "completed");
  assert.deepEqual([attempts, queue.read("ran")], [2, "ran\nran\n"]);
  assert.deepEqual(await queue.outcomes("a"), [["lost", null], ["exited", 0]]);
});

queueTest("after another boot nothing is adopted, whatever has the pid now", async (queue) => {
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), untilFile("go")) });
  const first = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  await kill(first.pid);
  await kill(await first.workerPid());
  const [, runner, , boot] = queue.readSpooled("1.1.status").split(" ");
  const statusFile = `${runFiles(queue.spool, 1, 1)}.status`;
  await Deno.writeTextFile(
    statusFile,
    queue.readSpooled("1.1.status").replace(boot, crypto.randomUUID()),
  );
  // Its process and number are real: only the boot tells that they cannot be what was meant.
  const earlier = await processesWith(queue.path);
  assert.ok(earlier.includes(Number(runner)));

  const second = queue.start();
  await second.line(/picked job a \(attempt 2\)$/);
  await waitFor("the second run", () => queue.read("ran") === "ran\nran\n");
  assert.ok(await isRunning(Number(runner)), "a process that is not the command's was ended");
  assert.deepEqual(second.lines.filter((line) => /adopted/.test(line)), []);
  assert.deepEqual((await queue.store.attempts("a")).map(({ outcome }) => outcome), ["lost"]);
  // In truth they are the first run's; nobody else is going to end them.
  for (const pid of [Number(runner), ...earlier]) await kill(pid);
  queue.touch("go");
  await queue.reaches("a", "completed");
  assert.deepEqual(await queue.outcomes("a"), [["lost", null], ["exited", 0]]);
}, { ignore: posixOnly("runs whose status file is made by a runner") });
