/** logs -f: what jobs print while they run. */

import assert from "node:assert/strict";
import { permissions } from "../../src/worker/host/program.ts";
import { postgresAlone } from "../helpers/drivers.ts";
import { startProgram } from "../helpers/following.ts";
import { posixOnly } from "../helpers/left_out.ts";
import type { ProgramResult } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import {
  complain,
  onlyWhere,
  printed,
  steps,
  unended,
  untilFile,
  variable,
} from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const step = (name: string) => steps(`echo ${name}`, untilFile(name));

queueTest(
  "logs -f prints what a job prints as it comes, through all attempts, until it has ended",
  async (queue) => {
    const command = steps(
      `echo attempt ${variable("QUEUECTL_ATTEMPT")}`,
      complain("bad"),
      step("one"),
      step("two"),
      onlyWhere("QUEUECTL_ATTEMPT", "2"),
    );
    await queue.enqueue({ id: "job", command });
    const follower = startProgram(queue, ["logs", "-f", "job"]);
    await follower.line(/^Job job waits: no worker runs; start one: queuectl worker start$/);
    queue.start();
    await follower.line(/^one$/);
    assert.ok(!follower.lines.includes("two"));
    queue.touch("one");
    await follower.line(/^two$/);
    queue.touch("two");
    assert.equal((await follower.status).code, 0);
    await follower.closed;
    const said = follower.lines.filter((line) => /^(Attempt|Job)/.test(line)).map((line) =>
      line.replace(/after [\w.]+/, "after a time")
    );
    assert.deepEqual(said.filter((line) => !line.includes("waits")), [
      "Attempt 1 of job job begins",
      "Attempt 1 of job job failed after a time: exit code 1",
      "Attempt 2 of job job begins",
      "Attempt 2 of job job completed after a time",
    ]);
    const printed = follower.lines.filter((line) => !/^(Attempt|Job)/.test(line));
    assert.deepEqual(printed.filter((line) => line !== "bad"), [
      "attempt 1",
      "one",
      "two",
      "attempt 2",
      "one",
      "two",
    ]);
    assert.equal(printed.filter((line) => line === "bad").length, 2);
  },
);

queueTest(
  "logs -f of a job that has ended prints its last run and ends; follow and log are the same",
  async (queue) => {
    const command = steps("echo a", "echo b", unended("c"), complain("bad"), "exit 4");
    await queue.enqueue({ id: "job", command, maxRetries: 0 });
    const all = `${printed("a", "b")}c`;
    await queue.run("worker", "start", "--drain");
    for (const args of [["logs", "-f"], ["follow"], ["log", "--follow"]]) {
      const { code, stdout, stderr } = await queue.run(...args, "job");
      assert.deepEqual([code, stdout], [0, all], args.join(" "));
      assert.match(stderr, /^bad\r?\nAttempt 1 of job job failed after \S+: exit code 4\n$/);
    }
    const cases: Array<[string[], string]> = [
      [["logs", "-n", "2"], `${printed("b")}c`],
      [["logs", "-f", "-n", "1"], "c"],
      [["logs", "-n2"], `${printed("b")}c`],
      [["logs", "-fn1"], "c"],
      [["follow", "-2"], `${printed("b")}c`],
      [["logs", "--lines", "0"], ""],
      [["logs", "-f", "--stdout"], all],
      [["logs", "-f", "--stderr"], printed("bad")],
      [["logs", "-f", "--attempt", "1"], all],
    ];
    for (const [args, stdout] of cases) {
      assert.equal((await queue.run(...args, "job")).stdout, stdout, args.join(" "));
    }
  },
);

queueTest("logs -f -n begins with the last lines of what there is", async (queue) => {
  await queue.enqueue({
    id: "job",
    command: steps("echo a", "echo b", "echo c", "touch there", untilFile("go"), "echo d"),
  });
  queue.start();
  const waiter = startProgram(queue, ["logs", "-f", "job"]);
  await waiter.line(/^c$/);
  const follower = startProgram(queue, ["logs", "-f", "-n", "2", "job"]);
  await follower.line(/^c$/);
  queue.touch("go");
  await follower.status;
  await follower.closed;
  assert.deepEqual(follower.lines.slice(0, 3), ["b", "c", "d"]);
});

queueTest("logs --attempt prints one attempt, of those there are", async (queue) => {
  await queue.enqueue({
    id: "job",
    command: steps(`echo attempt ${variable("QUEUECTL_ATTEMPT")}`, "exit 1"),
    maxRetries: 2,
  });
  const none = await queue.run("logs", "--attempt", "1", "job");
  assert.deepEqual([none.code, none.stderr], [3, "Job job has no attempt 1 yet\n"]);
  await queue.run("worker", "start", "--drain");
  for (const attempt of ["1", "2", "3"]) {
    const { stdout } = await queue.run("logs", "--attempt", attempt, "job");
    assert.equal(stdout, printed(`attempt ${attempt}`));
  }
  const fourth = await queue.run("logs", "--attempt", "4", "job");
  assert.deepEqual([fourth.code, fourth.stdout, fourth.stderr], [
    3,
    "",
    "Job job has no attempt 4, it has 1, 2, 3\n",
  ]);
});

queueTest("logs -f of a job that is removed, and wrong flags", async (queue) => {
  await queue.enqueue({ id: "job", command: "true" });
  const cases: Array<[string[], RegExp]> = [
    [["logs"], /^Argument ID is missing; give the id of a job$/m],
    [["follow"], /^Argument ID is missing; give the id of a job, --all or --queue$/m],
    [["logs", "--all"], /^Flag --all needs --follow/m],
    [["logs", "-f", "--all", "job"], /^Give the id of a job or --all, not both$/m],
    [["logs", "-f", "--all", "--attempt", "1"], /^Flags --all and --attempt/m],
    [["logs", "-n", "x", "job"], /^Flag --lines \(-n\) takes a whole number/m],
    [["logs", "--attempt", "0", "job"], /^Flag --attempt takes a whole number/m],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await queue.run(...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, message);
  }
});

queueTest("logs -f ends when its job is cancelled, while it waits and while it runs", async (queue) => {
  await queue.enqueue({ id: "waits", command: "true" }, {
    id: "runs",
    command: steps("echo begun", untilFile("never")),
  });
  const first = startProgram(queue, ["logs", "-f", "waits"]);
  await first.line(/^Job waits waits: no worker runs/);
  await queue.run("cancel", "waits");
  assert.equal((await first.status).code, 0);
  await first.line(/^Job waits is cancelled$/);
  const second = startProgram(queue, ["logs", "-f", "runs"]);
  queue.start();
  await second.line(/^begun$/);
  await queue.run("cancel", "runs");
  assert.equal((await second.status).code, 0);
  await second.line(/^Attempt 1 of job runs was cancelled after \S+$/);
  assert.ok(!second.lines.includes("Job runs is cancelled"));
});

queueTest("a cut of what a command prints is marked", async (queue) => {
  await queue.store.setSetting("max-output", "1KiB");
  const flood = "head -c 30000000 /dev/zero | tr '\\0' x";
  await queue.enqueue({ id: "job", command: `echo first; ${untilFile("go")}; ${flood}; echo; echo last` });
  queue.start();
  const printing = inShell(queue, '"$@" logs -f --stdout job >printed');
  await waitFor("the first line", () => queue.read("printed") === "first\n");
  queue.touch("go");
  assert.equal((await printing).code, 0);
  const printed = queue.read("printed");
  assert.ok(printed.startsWith("first\n") && printed.endsWith("x\nlast\n"), printed.slice(-100));
  const marks = [...printed.matchAll(/\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/g)];
  const seen = printed.length - marks.reduce((sum, [mark]) => sum + mark.length, 0);
  const omitted = marks.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  const total = 30_000_000 + "first\n\nlast\n".length;
  assert.ok(seen === total || marks.length > 0, `${seen} of ${total}`);
  // A cut may lose what is printed in the same moment.
  assert.ok(seen + omitted <= total, `${seen} + ${omitted} of ${total}`);
}, { ignore: posixOnly("commands that print any bytes") });

queueTest("a reader that has gone ends logs -f without a word", async (queue) => {
  await queue.enqueue({ id: "job", command: `while [ ! -e go ]; do echo more; sleep 0.05; done` });
  queue.start();
  await startProgram(queue, ["logs", "-f", "job"]).line(/^more$/);
  const result = await inShell(queue, '{ "$@" logs -f job; echo $? >status; } | head -n 1');
  assert.deepEqual({ ...result, code: queue.read("status") }, { code: "0\n", stdout: "more\n", stderr: "" });
  queue.touch("go");
}, { ignore: posixOnly("pipes of a shell") });

/** Runs a script in which `"$@"` is the program. */
async function inShell(queue: Queue, script: string): Promise<ProgramResult> {
  const main = new URL("../../src/main.ts", import.meta.url).href;
  const executable = Deno.env.get("QUEUECTL_TEST_PROGRAM");
  const words = executable
    ? [executable]
    : [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, main];
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script, "sh", ...words],
    cwd: queue.path,
    env: queue.env,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

queueTest("what a command prints on another host is followed too", async (queue) => {
  await queue.enqueue({ id: "job", command: steps(step("one"), step("two"), "echo last") });
  queue.start();
  const elsewhere = { XDG_STATE_HOME: `${queue.path}/elsewhere` };
  const follower = startProgram(queue, ["logs", "-f", "job"], elsewhere);
  const all = startProgram(queue, ["logs", "-f", "--all"], elsewhere);
  for (const name of ["one", "two"]) {
    await follower.line(new RegExp(`^${name}$`));
    await all.line(new RegExp(`^job \\| ${name}$`));
    queue.touch(name);
  }
  assert.equal((await follower.status).code, 0);
  await follower.closed;
  assert.deepEqual(follower.lines.filter((line) => !/^(Attempt|Job)/.test(line)), ["one", "two", "last"]);
  await all.line(/^job \| last$/);
  assert.equal(all.lines.filter((line) => line === "job | one").length, 1);
}, { on: postgresAlone });
