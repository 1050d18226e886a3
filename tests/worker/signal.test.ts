/** Signals for the commands of the real program: every process of the command gets them, and nothing else. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { describeProcesses, processesWith, untilNoneWith } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const linux = () => ({
  ignore: posixOnly("signals") || leftOut(Deno.build.os !== "linux", "Only on Linux: stopped processes"),
});

/** A command that counts, in a child of its own shell, until a file is there. */
const counts = (id: string, go: string) =>
  `sh -c 'echo $PPID >pid.${id}; n=0; until [ -e ${go} ] || [ ! -e "$PWD" ]; do n=$((n + 1)); echo $n >n.${id}; sleep 0.02; done'; true`;

/** What the system says of the processes of a command: T is stopped, D waits and takes no signal meanwhile. */
async function states(mark: string): Promise<string[]> {
  const described = await describeProcesses(await processesWith(mark));
  return described.split("\n").slice(1).flatMap((line) => line.trim().split(/\s+/)[2] ?? []);
}

const areStopped = async (mark: string) => {
  const all = await states(mark);
  // A shell whose child is stopped between vfork and exec waits for that, and stops when the child has gone on.
  return all.some((state) => state.startsWith("T")) && all.every((state) => /^[TD]/.test(state));
};

async function said(queue: Queue, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await queue.run(...args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout;
}

queueTest("a signal reaches a command, which goes on", async (queue) => {
  await queue.enqueue(
    { id: "a", command: `trap 'echo got; touch got' USR1; touch ready; ${untilFile("go")}; echo end` },
    { id: "b", command: `touch b; ${untilFile("go")}` },
  );
  const manager = queue.start("--concurrency", "2");
  await waitFor("the commands", () => ready(queue, "ready", "b"));
  assert.equal(await said(queue, "signal", "a", "usr1"), "Job a signalled with SIGUSR1.\n");
  await waitFor("the trap", () => ready(queue, "got"));
  queue.touch("go");
  await queue.reaches("a", "completed");
  await queue.reaches("b", "completed");
  assert.equal((await queue.store.lastOutput("a"))?.output, "got\nend\n");
  assert.deepEqual(await queue.outcomes("b"), [["exited", 0]]);
  await manager.line(/job a was sent SIGUSR1$/);
  assert.deepEqual(await queue.store.check(), []);
}, { ignore: posixOnly("signals") });

const ready = (queue: Queue, ...names: string[]) => {
  const there = new Set([...Deno.readDirSync(queue.path)].map(({ name }) => name));
  return names.every((name) => there.has(name));
};

queueTest("STOP suspends the whole tree, and CONT lets it go on", async (queue) => {
  const mark = `${queue.path}/mark`;
  await queue.enqueue({ id: "a", command: counts("a", "go"), env: { MARK: mark } });
  queue.start();
  await waitFor("the command", () => queue.read("n.a") !== "");
  assert.equal(await said(queue, "signal", "a", "STOP"), "Job a signalled with SIGSTOP.\n");
  await waitFor("all of it to be stopped", () => areStopped(mark), async () => (await states(mark)).join());
  const before = queue.read("n.a");
  assert.equal((await queue.job("a")).state, "processing");
  assert.equal(
    await said(queue, "signal", "--state", "processing", "CONT"),
    "1 job signalled with SIGCONT.\n",
  );
  await waitFor("it to go on", () => queue.read("n.a") !== before && queue.read("n.a") !== "");
  queue.touch("go");
  await queue.reaches("a", "completed");
}, linux());

queueTest("a signal that ends a command is a failure like others", async (queue) => {
  await queue.enqueue({ id: "a", command: "touch a; sleep 99", maxRetries: 0 });
  queue.start();
  await waitFor("the command", () => ready(queue, "a"));
  await said(queue, "signal", "a", "9");
  await queue.reaches("a", "dead");
  const [{ outcome, signal }] = await queue.store.attempts("a");
  assert.deepEqual([outcome, signal], ["signaled", "SIGKILL"]);
}, { ignore: posixOnly("signals") });

for (const [how, outcome] of [["cancel", "cancelled"], ["stop", "handed_back"]]) {
  queueTest(`a stopped command is ended by ${how}`, async (queue) => {
    const mark = `${queue.path}/mark`;
    const command = `trap 'touch termed; exit 1' TERM; ${counts("a", "go")}`;
    await queue.enqueue({ id: "a", command, env: { MARK: mark }, maxRetries: 0 });
    const manager = queue.start();
    await waitFor("the command", () => queue.read("n.a") !== "");
    await said(queue, "signal", "a", "STOP");
    await waitFor("all of it to be stopped", () => areStopped(mark), async () => (await states(mark)).join());
    if (how === "cancel") await said(queue, "cancel", "a");
    if (how === "stop") await said(queue, "worker", "stop", "--grace", "100ms");
    const ended = await waitFor("its end", async () => (await queue.store.attempts("a"))[0]);
    assert.equal(ended.outcome, outcome);
    await untilNoneWith(mark);
    // By TERM, which a stopped process gets when it goes on, and not only by KILL.
    assert.ok(ready(queue, "termed"));
    if (how === "stop") await manager.status;
  }, linux());
}

queueTest("a stopped command is ended by its timeout", async (queue) => {
  // It stops itself: a signal from here could come after the timeout.
  const command = "trap 'touch termed; exit 1' TERM; kill -STOP $$; sleep 99";
  await queue.enqueue({ id: "a", command, timeout: 2000, maxRetries: 0 });
  queue.start();
  await queue.reaches("a", "dead");
  assert.deepEqual(await queue.outcomes("a"), [["timed_out", null]]);
  assert.ok(ready(queue, "termed"));
}, linux());

queueTest(
  "a signal reaches a command whose worker was killed, once another has adopted it",
  async (queue) => {
    await queue.enqueue({
      id: "a",
      command: `trap 'touch got' USR1; echo $PPID >worker; ${untilFile("go")}; echo end`,
    });
    const manager = queue.start();
    const worker = await waitFor("the command", () => Number(queue.read("worker")) || null);
    sendSignal(worker, "SIGKILL");
    await said(queue, "signal", "a", "USR1");
    await waitFor("the trap", () => ready(queue, "got"));
    queue.touch("go");
    await queue.reaches("a", "completed");
    await manager.line(/adopted job a/);
  },
  linux(),
);

queueTest("what is no signal, and what does not run, is refused in one line", async (queue) => {
  await queue.enqueue({ id: "nightly", command: "true" });
  const cases: Array<[string[], number, RegExp]> = [
    [["signal"], 2, /^Argument SIGNAL is missing; it comes last, like TERM or 15$/],
    [["signal", "nightly"], 2, /^Argument SIGNAL is missing; it comes last/],
    [["signal", "TERM"], 2, /^Argument ID is missing; give ids of jobs, or a filter: /],
    [["signal", "nightly", "TERN"], 2, /^Unknown signal "TERN" \(did you mean "TERM"\?\); /],
    [["signal", "nightly", "sigusr3"], 2, /^Unknown signal "sigusr3" \(did you mean "USR\d"\?\); /],
    [["signal", "nightly", "0"], 2, /^Unknown signal "0"; the signal comes last, like TERM or 15$/],
    [["signal", "TERM", "nightly"], 2, /^Unknown signal "nightly".*; the signal comes last/],
    [["signal", "nighly", "TERM"], 3, /^No job found with id nighly \(did you mean "nightly"\?\)$/],
    [
      ["signal", "nightly", "TERM"],
      4,
      /^Job "nightly" cannot be signalled: its state is pending, only running jobs /,
    ],
    [
      ["signal", "nightly", "--state", "processing", "TERM"],
      2,
      /^Give the ids of jobs or a filter, not both$/,
    ],
  ];
  for (const [args, code, message] of cases) {
    const result = await queue.run(...args);
    assert.deepEqual([result.code, result.stdout], [code, ""], args.join(" "));
    assert.match(result.stderr.trimEnd(), message);
    assert.ok(!result.stderr.trimEnd().includes("\n"), result.stderr);
  }
  assert.equal(await said(queue, "signal", "--state", "processing", "TERM"), "No jobs to signal.\n");
}, { ignore: posixOnly("signals") });
