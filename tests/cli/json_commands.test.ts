/** What --json prints of waiting, following, stopping and care: the values, where json_reference has the names. */

import assert from "node:assert/strict";
import { startProgram } from "../helpers/following.ts";
import { makeQueue } from "../helpers/damaged.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { posixOnly } from "../helpers/left_out.ts";
import type { Manager } from "../helpers/manager.ts";
import { programTest } from "../helpers/program_test.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { complain, isWindows, printed, steps, untilFile, variable } from "../helpers/shell_commands.ts";

/** Runs a command with --json; gives its exit status and the value that it printed. */
async function valueOf(queue: Queue, ...args: string[]) {
  const { code, stdout } = await queue.run(...args, "--json");
  return { code, value: JSON.parse(stdout) };
}

/** The objects that a program prints, a line each, among the messages. */
const objectsIn = ({ lines }: Pick<Manager, "lines">) =>
  lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

queueTest("wait --json tells how each job has ended, in the order given", async (queue) => {
  await queue.enqueue(
    { id: "done", command: "true" },
    { id: "dead", command: "exit 7", maxRetries: 1 },
    { id: "killed", command: isWindows ? "exit 137" : "kill -9 $$", maxRetries: 0 },
    { id: "slow", command: "sleep 99", maxRetries: 0, timeout: 50 },
    { id: "gone", command: "true", priority: -1 },
  );
  await queue.store.cancel(["gone"]);
  await queue.run("worker", "start", "--drain", "--concurrency", "4");
  const done = { state: "completed", attempts: 1, exit_status: 0, outcome: "exited", exit_code: 0 };
  const killed = isWindows ? { outcome: "exited" } : { outcome: "signaled", signal: "SIGKILL" };
  const ends = [
    { id: "killed", state: "dead", attempts: 1, exit_status: 137, ...killed },
    { id: "done", ...done, signal: null },
    { id: "dead", state: "dead", attempts: 2, exit_status: 7, outcome: "exited", exit_code: 7, signal: null },
    { id: "slow", state: "dead", attempts: 1, exit_status: 142, outcome: "timed_out" },
    { id: "gone", state: "cancelled", attempts: 0, exit_status: 143, outcome: null, exit_code: null },
  ];
  const { code, value } = await valueOf(queue, "wait", ...ends.map(({ id }) => id), "done");
  assert.equal(code, 1);
  assert.equal(value.length, ends.length);
  for (const [index, end] of ends.entries()) assert.deepEqual({ ...value[index], ...end }, value[index]);
  const one = await valueOf(queue, "wait", "dead");
  assert.deepEqual([one.code, one.value.length], [7, 1]);
  assert.deepEqual(await valueOf(queue, "wait", "--all"), { code: 1, value: { failed: 4, left: 0 } });

  await queue.enqueue({ id: "open", command: "true" });
  const none = { exit_status: null, outcome: null, exit_code: null, signal: null };
  assert.deepEqual(await valueOf(queue, "wait", "--timeout", "10ms", "open", "done"), {
    code: 124,
    value: [{ id: "open", state: "pending", attempts: 0, ...none }, value[1]],
  });
  for (const flags of [["--all"], ["--queue", "default"]]) {
    const late = await valueOf(queue, "wait", "--timeout", "10ms", ...flags);
    assert.deepEqual(late, { code: 124, value: { failed: 4, left: 1 } });
  }
});

queueTest(
  "wait --json keeps what is removed after its end; of all together it does not count",
  async (queue) => {
    await queue.enqueue(
      { id: "first", command: "exit 3", maxRetries: 0 },
      { id: "second", command: untilFile("go") },
    );
    const [named, all] = [["first", "second"], ["--all"]].map((args) =>
      startProgram(queue, ["wait", "--json", ...args])
    );
    for (const waiter of [named, all]) await waiter.line(/^No worker runs/);
    queue.start("--concurrency", "2");
    await named.line(/^Job first is dead: exit code 3$/);
    await queue.store.remove(["first"]);
    queue.touch("go");
    for (const [waiter, code] of [[named, 1], [all, 0]] as const) {
      assert.equal((await waiter.status).code, code);
      await waiter.closed;
    }
    const ends = JSON.parse(named.lines.slice(named.lines.indexOf("[")).join(""));
    assert.deepEqual(
      ends.map(({ id, exit_status }: { id: string; exit_status: number }) => [id, exit_status]),
      [
        ["first", 3],
        ["second", 0],
      ],
    );
    assert.deepEqual(objectsIn(all), [{ failed: 0, left: 0 }]);
  },
);

queueTest("logs --json has an object for each output", async (queue) => {
  const command = steps(
    `(echo ${variable("QUEUECTL_ATTEMPT")})`,
    complain("a"),
    `${isWindows ? "<nul set /p=b" : "printf b"}>&2`,
    "exit 3",
  );
  await queue.enqueue({ id: "job", command, maxRetries: 1 }, { id: "new", command: "true", held: true });
  await queue.run("worker", "start", "--drain");
  const of = (attempt: number) => ({ job: "job", run: attempt, attempt });
  const out = (attempt: number) => ({ ...of(attempt), stream: "stdout", text: printed(String(attempt)) });
  const err = (attempt: number, text = `${printed("a")}b`) => ({ ...of(attempt), stream: "stderr", text });
  const cases: Array<[string[], unknown[]]> = [
    [["job"], [out(2), err(2)]],
    [["--attempt", "1", "job"], [out(1), err(1)]],
    [["--stdout", "job"], [out(2)]],
    [["--stderr", "-n", "1", "job"], [err(2, "b")]],
    [["new"], []],
  ];
  for (const [args, value] of cases) {
    assert.deepEqual(await valueOf(queue, "logs", ...args), { code: 0, value }, args.join(" "));
  }
});

queueTest("logs -f --json and run --json have an object a line, as it comes", async (queue) => {
  const step = (name: string) => `echo ${name}; ${untilFile(name)}`;
  const command = `${step("one")}; printf 'e\\033' >&2; printf two; exit $((QUEUECTL_ATTEMPT == 1))`;
  await queue.enqueue({ id: "job", command, maxRetries: 1 });
  const one = startProgram(queue, ["follow", "job", "--json"]);
  const all = startProgram(queue, ["logs", "-f", "--all", "--json"]);
  await one.line(/^Job job waits: no worker runs/);
  queue.start();
  const line = (run: number, stream: string, text: string) => ({
    job: "job",
    run,
    attempt: run,
    stream,
    text,
  });
  for (const follower of [one, all]) await follower.line(/^\{"job":"job",.*"text":"one\\n"\}$/);
  assert.deepEqual(objectsIn(one), [line(1, "stdout", "one\n")]);
  queue.touch("one");
  assert.equal((await one.status).code, 0);
  await one.closed;
  await all.line(/"attempt":2.*"text":"e/);
  await all.line(/"attempt":2.*"text":"two"/);
  const expected = [1, 2].flatMap((run) => [
    line(run, "stderr", "e\x1b"),
    line(run, "stdout", "one\n"),
    line(run, "stdout", "two"),
  ]);
  const key = ({ run, stream, text }: ReturnType<typeof line>) => `${run} ${stream} ${text}`;
  for (const follower of [one, all]) {
    assert.deepEqual(objectsIn(follower).toSorted((a, b) => key(a) < key(b) ? -1 : 1), expected);
  }

  const { code, stdout } = await queue.run("run", "--json", "--max-retries", "0", "printf x; exit 3");
  const [printed, end, ...more] = objectsIn({ lines: stdout.split("\n") });
  const { id, ...rest } = end;
  assert.deepEqual(printed, { job: id, run: 1, attempt: 1, stream: "stdout", text: "x" });
  assert.deepEqual([code, more, rest], [3, [], {
    state: "dead",
    attempts: 1,
    exit_status: 3,
    outcome: "exited",
    exit_code: 3,
    signal: null,
  }]);
}, { ignore: posixOnly("commands that print any bytes") });

queueTest("settings, queues, workers: what --json prints of what was done", async (queue) => {
  queue.start();
  await queue.start().line(/Worker-1: started$/);
  const cases: Array<[string, unknown]> = [
    ["config set max-retries 07", { key: "max-retries", value: "7", source: "stored" }],
    ["config unset max-retries", { key: "max-retries", value: "3", source: "default" }],
    ["config unset max-retries", { key: "max-retries", value: "3", source: "default" }],
    ["worker stop --now", { managers: 2 }],
    ["worker stop", { managers: 0 }],
  ];
  for (const [command, value] of cases) {
    assert.deepEqual(await valueOf(queue, ...command.split(" ")), { code: 0, value }, command);
  }
  await queue.run("queue", "set", "mail", "--concurrency", "1");
  assert.deepEqual(await valueOf(queue, "queue", "rm", "mail"), { code: 0, value: { name: "mail" } });
});

programTest("doctor --json has what is found, and what to do", async ({ run, place, isSqlite }) => {
  await makeQueue(place.url);
  const well = await run(["doctor", "--json"]);
  const { ok, findings } = JSON.parse(well.stdout);
  assert.deepEqual([well.code, well.stderr, ok], [0, "", true]);
  assert.deepEqual(findings[1], { level: "ok", what: "The data is sound", advice: null });
  await place.query("UPDATE jobs SET worker = NULL WHERE state = 'processing'");
  const ill = await run(["doctor", "--json"]);
  const found = JSON.parse(ill.stdout);
  assert.deepEqual([ill.code, ill.stderr, found.ok], [5, "", false]);
  const [error] = found.findings.filter(({ level }: { level: string }) => level === "error");
  assert.match(error.what, /^3 jobs run without a worker/);
  assert.match(error.advice, isSqlite ? /^stop the workers .*\.recover$/ : /^stop the workers .* backup$/);
});

programTest("doctor --json of what cannot be opened", async ({ run, path }) => {
  await Deno.writeTextFile(`${path}/queuectl.db`, "# notes\n".repeat(1000));
  const { code, stdout, stderr } = await run(["doctor", "--json"]);
  const { ok, findings: [{ level, what, advice }, ...more] } = JSON.parse(stdout);
  assert.deepEqual([code, stderr, ok, level, advice, more], [5, "", false, "error", null, []]);
  assert.match(what, /queuectl\.db is not a SQLite database$/);
}, { on: sqliteAlone });
