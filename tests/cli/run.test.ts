import assert from "node:assert/strict";
import { startProgram } from "../helpers/following.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { programCommand } from "../helpers/program.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { complain, isWindows, printed, steps, untilFile, variable } from "../helpers/shell_commands.ts";
import { hasTerminal, startInTerminal } from "../helpers/terminal.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { canRun, wrappedCommand } from "../helpers/wrapped_program.ts";

queueTest(
  "run puts a command into the queue, prints what it prints, and ends with its exit status",
  async (queue) => {
    await queue.store.setSetting("max-retries", "0");
    queue.start();
    const posixCases: Array<[string[], number, string, RegExp]> = [
      [["pwd; echo $((1 + 2))"], 0, `${queue.path}\n3\n`, /^$/],
      [["--", "printf", "%s|", "a b", "it's", "$HOME", "*", ""], 0, "a b|it's|$HOME|*||", /^$/],
      [["--", "echo one; echo two"], 127, "", /echo one; echo two.*not found/],
      [["kill -TERM $$"], 143, "", /^Attempt 1 of job \S+ failed after \S+: SIGTERM\n$/],
    ];
    const cases: Array<[string[], number, string, RegExp]> = [
      ...isWindows ? [] : posixCases,
      [["--env", "A=b", "--priority", "3", `echo ${variable("A")}`], 0, printed("b"), /^$/],
      [['{"command": "echo json", "max_retries": 0}'], 0, printed("json"), /^$/],
      [
        [steps("echo out", complain("bad"), "exit 9")],
        9,
        printed("out"),
        /^bad\r?\nAttempt 1 of job \S+ failed after \S+: exit code 9\n$/,
      ],
    ];
    for (const [args, code, stdout, stderr] of cases) {
      const result = await queue.run("run", ...args);
      assert.deepEqual([result.code, result.stdout], [code, stdout], JSON.stringify([args, result.stderr]));
      // On a machine that is busy it may have waited for its worker for a while.
      assert.match(result.stderr.replace(/^(Job \S+ waits|Attempt 1 of job \S+ begins).*\n/gm, ""), stderr);
    }
  },
);

queueTest("run says when no worker runs, and prints what its job prints while it runs", async (queue) => {
  const running = startProgram(queue, ["run", steps("echo begun", untilFile("go"), "echo done")]);
  await running.line(/^Job \S+ waits: no worker runs; start one: queuectl worker start$/);
  queue.start();
  await running.line(/^begun$/);
  queue.touch("go");
  assert.equal((await running.status).code, 0);
  await running.closed;
  assert.equal(running.lines.at(-1), "done");
});

const interrupts = () => ({ ignore: posixOnly("signals of tests to programs") });

queueTest("Ctrl-C leaves the job of run alone, and says how to go on with it", async (queue) => {
  queue.start();
  const running = startProgram(queue, ["run", steps("echo begun", untilFile("go"), "echo done")]);
  await running.line(/^begun$/);
  running.signal("SIGINT");
  const [, id] = await running.line(/^Job (\S+) continues\. Follow it: queuectl logs -f \S+$/);
  await running.line(new RegExp(`^Cancel it: Ctrl-C again now, or queuectl cancel ${id}$`));
  assert.equal((await running.status).code, 130);
  assert.equal((await queue.job(id)).state, "processing");
  queue.touch("go");
  await queue.reaches(id, "completed");
  assert.ok(!running.lines.includes("done"));
}, interrupts());

queueTest("a second Ctrl-C cancels the job of run", async (queue) => {
  queue.start();
  const running = startProgram(queue, ["run", steps("echo begun", untilFile("never"))]);
  await running.line(/^begun$/);
  running.signal("SIGINT");
  const [, id] = await running.line(/^Job (\S+) continues/);
  running.signal("SIGINT");
  await running.line(new RegExp(`^Cancelling job ${id}\\.$`));
  assert.equal((await running.status).code, 130);
  await queue.reaches(id, "cancelled");
}, interrupts());

queueTest("a second Ctrl-C for a job that has ended is no mistake", async (queue) => {
  queue.start();
  const running = startProgram(queue, ["run", steps("echo begun", untilFile("go"))]);
  await running.line(/^begun$/);
  running.signal("SIGINT");
  const [, id] = await running.line(/^Job (\S+) continues/);
  queue.touch("go");
  await queue.reaches(id, "completed");
  running.signal("SIGINT");
  // It may have waited for the second one long enough.
  assert.equal((await running.status).code, 130);
  await running.closed;
  assert.deepEqual(running.lines.filter((line) => /cannot be cancelled/.test(line)), []);
}, interrupts());

queueTest(
  "run whose reader has gone says how to go on with its job, and does not end as if that were done",
  async (queue) => {
    queue.start();
    const command = steps("echo begun", untilFile("go"), "echo more", untilFile("end"), "exit 3");
    const child = programCommand(["run", "--max-retries", "0", command], {
      cwd: queue.path,
      env: queue.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    queue.touch("go");
    const said = await new Response(child.stderr).text();
    assert.match(said, /^Job (\S+) continues\. Follow it: queuectl logs -f \1$/m);
    assert.equal((await child.status).code, 141);
    queue.touch("end");
    await queue.reaches(/^Job (\S+) continues/m.exec(said)![1], "dead");
  },
);

const nonBlocking = "use Fcntl; fcntl(STDERR, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV";

queueTest("what is printed to a full standard error that does not block is not lost", async (queue) => {
  queue.start();
  const command = "head -c 1000000 /dev/zero | tr '\\0' x >&2";
  const child = wrappedCommand({
    wrapper: ["perl", "-e", nonBlocking],
    args: ["run", command],
    cwd: queue.path,
    env: queue.env,
  }, "null").spawn();
  await waitFor("the job to end", async () => (await queue.store.counts()).completed === 1);
  const [{ length }, { code }] = await Promise.all([new Response(child.stderr).bytes(), child.status]);
  await child.stdout.cancel();
  assert.equal(code, 0);
  assert.ok(length >= 1_000_000, `${length} bytes`);
}, { ignore: !canRun("perl", "-e", "use Fcntl;") });

queueTest("a terminal gets colours and lines drawn again, and nothing else that it obeys", async (queue) => {
  queue.start();
  // Where the tests run it may be set; empty it is as if it were not.
  const plain = { ...queue.env, NO_COLOR: "" };
  const command = "printf '\\033[32mok\\033[0m\\033[2J\\n10 %%\\r20 %%\\n\\033[31mred\\n'";
  const cases: Array<[env: Record<string, string>, ok: RegExp, red: RegExp]> = [
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    [plain, /^\x1b\[32mok\x1b\[0m\\x1b\[2J$/, /^\x1b\[31mred$/],
    [{ ...plain, NO_COLOR: "1" }, /^ok\\x1b\[2J$/, /^red$/],
  ];
  for (const [env, ok, red] of cases) {
    const terminal = startInTerminal(["run", command], queue.path, env);
    queue.watch(terminal.manager);
    await terminal.manager.line(ok);
    await terminal.manager.line(/^10 %\r20 %$/);
    await terminal.manager.line(red);
    assert.equal((await terminal.manager.status).code, 0);
    await terminal.close();
    await terminal.manager.closed;
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assert.equal(/\x1b\[0m$/.test(terminal.manager.lines.at(-1)!), env === plain);
  }
}, { ignore: !hasTerminal });

queueTest("run of nothing, or of what is no command, stores nothing", async (queue) => {
  for (const args of [[], ["--"], [""], ["  "], ["--", ""], ["-"], ["echo", "hi"], ["[1]"]]) {
    const { code, stdout } = await queue.run("run", ...args);
    assert.deepEqual([code, stdout], [2, ""], JSON.stringify(args));
  }
  assert.deepEqual(await queue.store.list({ limit: 10 }), []);
});

/** 100 kB of lines. */
const long = Array.from({ length: 10_000 }, (_, index) => `line ${index}`).join("\n") + "\n";

queueTest("run and logs -f give all of a long output, though little of it is kept", async (queue) => {
  await queue.store.setSetting("max-output", "1KiB");
  Deno.writeTextFileSync(`${queue.path}/long`, long);
  const command = "cat long; cat long >&2";
  await queue.enqueue({ id: "a", command: steps("echo begun", untilFile("go"), command) });
  queue.start();
  const one = startProgram(queue, ["logs", "-f", "a"]);
  const all = startProgram(queue, ["logs", "-f", "--all"]);
  await one.line(/^begun$/);
  await all.line(/^a \| begun$/);
  queue.touch("go");
  const result = await queue.run("run", command);
  assert.deepEqual([result.code, result.stdout === long], [0, true], result.stderr.slice(-200));
  assert.ok(result.stderr.endsWith(long), result.stderr.slice(-200));
  assert.equal((await one.status).code, 0);
  await one.closed;
  const lines = (manager: typeof one, pattern: RegExp) =>
    manager.lines.filter((line) => pattern.test(line)).length;
  assert.equal(lines(one, /^line \d+$/), 20_000);
  await waitFor("all lines of both jobs", () => lines(all, /\| line \d+$/) === 40_000);
  assert.deepEqual([lines(one, /left out/), lines(all, /left out/)], [0, 0]);
  all.signal("SIGTERM");
  await all.status;
  // Its readers have read it, so it is gone before the sign of the last one is too old.
  await waitFor("no files of runs", () => queue.spooled().every((name) => name.startsWith("reader.")));
}, { ignore: posixOnly("cat") });

queueTest("what cannot be given is told, and is an exit status of its own", async (queue) => {
  await queue.store.setSetting("max-output", "1KiB");
  Deno.writeTextFileSync(`${queue.path}/long`, long);
  queue.start();
  // Where the output is, as seen from another host.
  const elsewhere = queue.place.url.includes("://");
  if (elsewhere) {
    const running = startProgram(queue, ["run", "cat long"], { XDG_STATE_HOME: `${queue.path}/elsewhere` });
    const [, bytes] = await running.line(
      /^(\d+) bytes of the standard output of attempt 1 of job \S+ are left out$/,
    );
    assert.ok(Number(bytes) > long.length / 2 && Number(bytes) < long.length);
    assert.equal((await running.status).code, 125);
  }
  await queue.enqueue({ id: "a", command: "cat long >&2; exit 3", maxRetries: 0 });
  await queue.reaches("a", "dead");
  const { code, stdout, stderr } = await queue.run("logs", "-f", "a");
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(stderr, /^\d+ bytes of the standard error of attempt 1 of job a are left out$/m);
  assert.doesNotMatch((await queue.run("logs", "-f", "-n", "1", "a")).stderr, /are left out/);
}, { ignore: posixOnly("cat") });

queueTest("run and wait in a job that holds what they wait for say so", async (queue) => {
  await queue.enqueue({ id: "outer", command: untilFile("go") });
  queue.start();
  await queue.reaches("outer", "processing");
  const inJob = { QUEUECTL_JOB_ID: "outer", QUEUECTL_QUEUE: "default" };
  const nested = startProgram(queue, ["run", "--id", "inner", "echo done"], inJob);
  await nested.line(/^Job inner waits for a free worker/);
  await nested.line(/^Job outer, in which this waits, holds a slot itself: .*worker start --concurrency N$/);
  await queue.store.setQueue("default", { concurrency: 1 });
  const waiting = startProgram(queue, ["wait", "inner"], inJob);
  await waiting.line(/^Job outer, in which this waits, holds a place itself: .*queue set --concurrency N$/);
  // Somebody else is not told that.
  const other = startProgram(queue, ["logs", "-f", "inner"]);
  await other.line(/^Job inner waits for a place/);
  queue.touch("go");
  for (const each of [nested, waiting, other]) {
    assert.equal((await each.status).code, 0);
    await each.closed;
  }
  assert.deepEqual(other.lines.filter((line) => /itself/.test(line)), []);
});
