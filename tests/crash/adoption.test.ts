/**
 * Whatever is killed while commands run (the worker, the manager, both, twice in a row), every command runs exactly
 * once, its output is complete and its exit status recorded.
 */

import assert from "node:assert/strict";
import type { Attempt } from "../../src/job/job.ts";
import { readStatus, runFiles } from "../../src/worker/spool/spool.ts";
import { kill } from "../helpers/host_processes.ts";
import type { Manager } from "../helpers/manager.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { isWindows, note, printed, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A way for a command to end; all of them wait for the file `go`. */
interface Form {
  id: string;
  command: string;
  outcome: Attempt["outcome"];
  exitCode: number;
  output: string;
}

const work = (id: string) => steps(note("ran", `ran.${id}`), "echo before", untilFile("go"), "echo after");
const output = printed("before", "after");

const success: Form = { id: "success", command: work("success"), outcome: "exited", exitCode: 0, output };
const failure: Form = {
  id: "failure",
  command: steps(work("failure"), "exit 3"),
  outcome: "exited",
  exitCode: 3,
  output,
};

const windowsForms: Form[] = [
  { id: "large", command: steps(work("large"), "exit 70000"), outcome: "exited", exitCode: 70_000, output },
  {
    id: "inner",
    command: `cmd /d /s /c "${steps(work("inner"), "exit 4")}"`,
    outcome: "exited",
    exitCode: 4,
    output,
  },
];

const posixForms: Form[] = [
  {
    id: "exec",
    command: `exec sh -c '${work("exec")}; exit 4'`,
    outcome: "exited",
    exitCode: 4,
    output,
  },
  {
    id: "exec-success",
    command: `exec sh -c '${work("exec-success")}'`,
    outcome: "exited",
    exitCode: 0,
    output,
  },
  {
    id: "trap",
    command: `trap 'echo trapped' EXIT; ${work("trap")}; exit 5`,
    outcome: "exited",
    exitCode: 5,
    output: `${output}trapped\n`,
  },
  {
    id: "closed",
    command: `echo first; exec >&- 2>&-; ${work("closed")}; exit 6`,
    outcome: "exited",
    exitCode: 6,
    output: "first\n",
  },
  {
    id: "term",
    command: `${work("term")}; kill -TERM $$`,
    outcome: "signaled",
    exitCode: 143,
    output,
  },
  {
    id: "kill",
    command: `${work("kill")}; sh -c 'kill -KILL $PPID'; :`,
    outcome: "signaled",
    exitCode: 137,
    output,
  },
  {
    id: "group",
    command: `trap '' TERM; ${work("group")}; kill 0; exit 7`,
    outcome: "exited",
    exitCode: 7,
    output,
  },
];

const forms: Form[] = [success, failure, ...isWindows ? windowsForms : posixForms];

/** Starts a manager with one worker and has every form of command running. */
async function startAll(queue: Queue): Promise<Manager> {
  await queue.enqueue(...forms.map(({ id, command }) => ({ id, command, maxRetries: 0 })));
  const manager = queue.start("--concurrency", String(forms.length));
  await waitFor("all commands to run", () => forms.every(({ id }) => queue.read(`ran.${id}`) !== ""), () => ({
    files: queue.spooled(),
    lines: manager.lines,
  }));
  return manager;
}

/** Every command ran once and what became of it is recorded, once. */
async function assertRecorded(queue: Queue): Promise<void> {
  for (const form of forms) {
    const job = await queue.reaches(form.id, form.exitCode === 0 ? "completed" : "dead");
    const [attempt, ...others] = await queue.store.attempts(form.id);
    const { outcome, exitCode, output } = attempt;
    assert.deepEqual(
      {
        id: job.id,
        outcome,
        exitCode,
        output,
        ran: queue.read(`ran.${form.id}`),
        attempts: job.attempts,
        others,
      },
      {
        id: job.id,
        outcome: form.outcome,
        exitCode: form.exitCode,
        output: form.output,
        ran: "ran\n",
        attempts: 1,
        others: [],
      },
    );
  }
  await waitFor("an empty spool", () => queue.spooled().length === 0, () => queue.spooled());
}

/** Waits until every command has left its exit status. */
async function allEnded(queue: Queue): Promise<void> {
  const statuses = () => forms.map((_, index) => readStatus(runFiles(queue.spool, index + 1, 1))?.exitStatus);
  await waitFor(
    "an exit status of every command",
    () => statuses().every((status) => typeof status === "number"),
    statuses,
  );
}

const adopted = /Worker-1: adopted job /;

queueTest(
  "kill -9 of the worker: its manager starts another one, which adopts the commands",
  async (queue) => {
    const manager = await startAll(queue);
    await kill(await manager.workerPid());
    await manager.line(adopted, forms.length);
    queue.touch("go");
    await assertRecorded(queue);
    await manager.line(
      isWindows ? /^Manager: worker pid=\d+ ended with / : /^Manager: worker pid=\d+ ended with SIGKILL$/,
    );
  },
);

queueTest("what has ended unseen shows when it ended, and which worker ran it", async (queue) => {
  const manager = await startAll(queue);
  const worker = await manager.workerPid();
  await kill(manager.pid);
  await kill(worker);
  queue.touch("go");
  await allEnded(queue);
  const seenAt = Date.now();
  // A new clock tick at least.
  await waitFor("a later time", () => Date.now() > seenAt);
  queue.start("--drain");
  await assertRecorded(queue);
  for (const { id } of forms) {
    const [{ startedAt, endedAt, worker: name }] = await queue.store.attempts(id);
    assert.ok(startedAt < endedAt && endedAt <= seenAt, `${id}: ${[startedAt, endedAt, seenAt]}`);
    assert.ok(name.endsWith(`:${worker}`), name);
  }
});

queueTest("kill -9 of two workers in a row", async (queue) => {
  const manager = await startAll(queue);
  await kill(await manager.workerPid());
  await manager.line(adopted, forms.length);
  await kill(await manager.workerPid(2));
  await manager.line(adopted, 2 * forms.length);
  queue.touch("go");
  await assertRecorded(queue);
});

queueTest("kill -9 of the worker while its commands end", async (queue) => {
  const manager = await startAll(queue);
  queue.touch("go");
  await kill(await manager.workerPid());
  await assertRecorded(queue);
});

queueTest(
  "kill -9 of the manager: its workers finish what they run, claim nothing more and end",
  async (queue) => {
    const manager = await startAll(queue);
    await kill(manager.pid);
    // On Windows managers pass on what their workers say: nobody tells when these have noticed.
    if (!isWindows) await manager.line(/Worker-1: stopping gracefully$/);
    if (!isWindows) await queue.enqueue({ id: "later", command: note("ran", "ran.later") });
    queue.touch("go");
    await manager.closed;
    await assertRecorded(queue);
    if (!isWindows) {
      assert.deepEqual([(await queue.job("later")).state, queue.read("ran.later")], ["pending", ""]);
    }
    assert.equal((await queue.run("worker", "stop")).stdout, "No active worker manager found.\n");
  },
);

queueTest("kill -9 of all: the next start records what has ended meanwhile", async (queue) => {
  const first = await startAll(queue);
  await kill(first.pid);
  await kill(await first.workerPid());
  queue.touch("go");
  await allEnded(queue);
  const second = queue.start("--concurrency", String(forms.length), "--drain");
  await assertRecorded(queue);
  assert.equal((await second.status).code, 1, "drain tells of the jobs that died");
  assert.deepEqual(second.lines.filter((line) => adopted.test(line) || /picked job/.test(line)), []);
});

queueTest("kill -9 of all: the next start adopts what still runs", async (queue) => {
  const first = await startAll(queue);
  await kill(first.pid);
  await kill(await first.workerPid());
  // Twice, and the second time with more workers than one.
  const second = queue.start("--count", "2");
  await second.line(/Worker-\d: adopted job /, forms.length);
  await kill(second.pid);
  for (const worker of [1, 2]) await kill(await second.workerPid(worker));
  const third = queue.start();
  await third.line(adopted, forms.length);
  queue.touch("go");
  await assertRecorded(queue);
});
