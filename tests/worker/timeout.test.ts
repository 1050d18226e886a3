/** A command that takes too long ends with everything it has started, and nothing else does. */

import assert from "node:assert/strict";
import { canSeeEnvironments, untilNoneWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { beside, endless, isWindows, note, printed, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const windowsTrees = {
  "background": endless,
  "pipeline": "sleep 99 | sleep 99 | sleep 99",
  // The first of them ends at once, and leaves the second.
  "double-fork": steps(beside('start /b cmd /d /s /c "sleep 99"'), "sleep 99"),
};

queueTest("a timeout ends the whole tree, and the neighbours go on", async (queue) => {
  const trees: Record<string, string> = isWindows ? windowsTrees : {
    "background": "sleep 99 & setsid sleep 99 & sleep 99",
    "pipeline": "sleep 99 | sleep 99 | sleep 99",
    "double-fork": "(setsid sh -c 'sleep 99 & sleep 99' &) ; sleep 99",
    "stopped": "sh -c 'kill -STOP $$; sleep 99' & sleep 99",
    "nohup": "nohup sleep 99 >/dev/null & nohup sleep 99",
    // KILL comes five seconds later.
    "deaf": "trap '' TERM; setsid sh -c 'while :; do sleep 1; done' & while :; do sleep 1; done",
  };
  const ids = Object.keys(trees);
  await queue.enqueue(
    { id: "neighbour", command: steps(note("ran", "ran"), untilFile("go"), "echo end") },
    ...ids.map((id) => ({
      id,
      command: steps("echo begin", trees[id]),
      timeout: 1000,
      maxRetries: 0,
      env: { MARK: `${queue.path}/${id}` },
    })),
  );
  const manager = queue.start("--concurrency", "8");
  for (const id of ids) {
    const { lastError, attempts } = await queue.reaches(id, "dead");
    assert.deepEqual([id, attempts, lastError], [id, 1, "Command timed out after 1 seconds"]);
    assert.deepEqual(await queue.outcomes(id), [["timed_out", null]]);
    assert.equal((await queue.store.lastOutput(id))?.output, printed("begin"));
    await untilNoneWith(`${queue.path}/${id}`);
  }
  assert.equal((await queue.job("neighbour")).state, "processing");
  queue.touch("go");
  await queue.reaches("neighbour", "completed");
  assert.equal(queue.read("ran"), "ran\n");
  assert.deepEqual(manager.lines.filter((line) => /worker pid=\d+ ended/.test(line)), []);
  await waitFor("an empty spool", () => queue.spooled().length === 0, () => queue.spooled());
}, { ignore: !canSeeEnvironments });

queueTest("a command that ends well on TERM has timed out all the same, and is retried", async (queue) => {
  await queue.enqueue({
    id: "polite",
    command: "trap 'echo bye; exit 0' TERM; echo $QUEUECTL_ATTEMPT >>attempts; while :; do sleep 0.05; done",
    timeout: 500,
    maxRetries: 1,
  }, { id: "configured", command: "sleep 99", maxRetries: 0 });
  await queue.store.setSetting("timeout", "1500ms");
  queue.start("--concurrency", "2");
  const { lastError } = await queue.reaches("polite", "dead");
  assert.equal(lastError, "Command timed out after 0.5 seconds");
  assert.equal(queue.read("attempts"), "1\n2\n");
  assert.equal((await queue.store.lastOutput("polite"))?.output, "bye\n");
  assert.equal((await queue.reaches("configured", "dead")).lastError, "Command timed out after 1.5 seconds");
}, { ignore: posixOnly("traps of signals") });

queueTest("the timeout goes on when the command is adopted", async (queue) => {
  await queue.enqueue({
    id: "a",
    command: steps(note("ran", "ran"), "sleep 99"),
    timeout: 3000,
    maxRetries: 0,
  });
  const manager = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  Deno.kill(await manager.workerPid(), "SIGKILL");
  await manager.workerPid(2);
  assert.equal((await queue.reaches("a", "dead")).lastError, "Command timed out after 3 seconds");
  assert.equal(queue.read("ran"), "ran\n");
});

queueTest("a job that starts while the rest of another one is being ended is left alone", async (queue) => {
  // Its shell ends on TERM, and another process of it does only when it may.
  const deaf = `(trap '${untilFile("go")}; exit 0' TERM; while :; do sleep 0.05; done)`;
  await queue.enqueue({ id: "a", command: `${deaf} & sleep 99`, timeout: 1000, maxRetries: 0 });
  const manager = queue.start("--concurrency", "2");
  await waitFor("the end of its shell", () => /^exit /m.test(queue.readSpooled("1.1.status")));
  await queue.enqueue({ id: "b", command: `echo ran; ${untilFile("go-b")}; echo done`, maxRetries: 0 });
  await manager.line(/picked job b/);
  await waitFor("the job to run", () => queue.readSpooled("2.1.out") !== "", () => queue.job("b"));
  queue.touch("go");
  await queue.reaches("a", "dead");
  queue.touch("go-b");
  await waitFor("the end of the job", async () => (await queue.job("b")).state !== "processing");
  assert.deepEqual(await queue.outcomes("b"), [["exited", 0]]);
  assert.equal((await queue.store.lastOutput("b"))?.output, "ran\ndone\n");
}, { ignore: posixOnly("traps of signals") });
