import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";
import { complain, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const failing = steps("echo out", complain("bad"), "exit 3");

queueTest("show tells all about a job: its fields, its attempts, and why it waits", async (queue) => {
  await queue.enqueue({
    id: "job-1",
    command: failing,
    maxRetries: 1,
    priority: 7,
    cwd: queue.path,
    env: { A: "b c" },
    timeout: 90_000,
  });
  const before = await queue.run("show", "job");
  assert.equal(before.code, 0, before.stderr);
  assert.match(before.stdout, /^Now: +waits: no worker runs; start one: queuectl worker start$/m);
  assert.match(before.stdout, /^Attempts: +0 of 2$/m);
  await queue.run("worker", "start", "--drain");
  const { stdout } = await queue.run("show", "job-1");
  const expected: Array<[string, string]> = [
    ["ID", "job-1"],
    ["State", "dead"],
    ["Command", failing],
    ["Folder", queue.path],
    ["Environment", "A=b c"],
    ["Priority", "7"],
    ["Attempts", "2 of 2"],
    ["Timeout", "90s"],
    ["Last error", "bad"],
  ];
  for (const [name, value] of expected) {
    assert.ok(
      stdout.split("\n").includes(`${`${name}:`.padEnd(14)}${value}`),
      `${name}: ${value}\n${stdout}`,
    );
  }
  assert.doesNotMatch(stdout, /^Now:/m);
  const runs = stdout.split("\n").filter((line) => /^\d/.test(line)).map((line) => line.split(/ *\| */));
  assert.deepEqual(runs.map(([attempt, , , outcome]) => [attempt, outcome]), [
    ["1", "exit code 3"],
    ["2", "exit code 3"],
  ]);
});

queueTest("show --json has a documented shape", async (queue) => {
  await queue.enqueue({
    id: "a",
    command: steps("echo x", untilFile("go")),
    baseBackoff: null,
    maxRetries: 0,
  }, {
    id: "b",
    command: "true",
  });
  const manager = queue.start();
  await manager.line(/picked job a /);
  const shown = async (id: string) => JSON.parse((await queue.run("show", "--json", id)).stdout);
  const b = await waitFor("b to wait for the worker", async () => {
    const b = await shown("b");
    return b.waits?.no_worker === false && b;
  });
  assert.deepEqual(b.waits, {
    for: "worker",
    text: "waits for a free worker, no job before it",
    seconds: null,
    ahead: 0,
    no_worker: false,
  });
  const a = await shown("a");
  assert.deepEqual(Object.keys(a), [
    "id",
    "command",
    "state",
    "attempts",
    "max_retries",
    "created_at",
    "updated_at",
    "next_attempt_at",
    "last_error",
    "output",
    "error_output",
    "priority",
    "timeout",
    "base_backoff",
    "cwd",
    "env",
    "queue",
    "tags",
    "unique",
    "backoff",
    "max_backoff",
    "jitter",
    "retry_on",
    "no_retry_on",
    "held",
    "blocked",
    "after",
    "after_any",
    "waits",
    "dead_because",
    "running",
    "runs",
  ]);
  assert.deepEqual(Object.keys(a.running), [
    "run",
    "attempt",
    "host",
    "pid",
    "started_at",
    "duration",
    "cancelling",
    "stopped",
  ]);
  assert.deepEqual([a.waits, a.runs, a.running.attempt, a.running.pid > 0], [null, [], 1, true]);
  assert.match((await queue.run("show", "a")).stdout, /^Now: +runs on \S+ \(worker \d+\) for \S+$/m);
  queue.touch("go");
  await queue.reaches("b", "completed");
  const ended = await shown("a");
  assert.deepEqual([ended.running, ended.waits, ended.output], [null, null, "x\n"]);
  const [{ run, attempt, outcome, exit_code, signal, duration }] = ended.runs;
  assert.deepEqual({ run, attempt, outcome, exit_code, signal }, {
    run: 1,
    attempt: 1,
    outcome: "exited",
    exit_code: 0,
    signal: null,
  });
  assert.ok(duration >= 0);
});

queueTest("show and status tell that a rate keeps a job", async (queue) => {
  await queue.store.setQueue("slow", { rate: 1, ratePeriod: 3_600_000 });
  await queue.enqueue(...["a", "b"].map((id) => ({ id, queue: "slow", command: "true" })));
  queue.start();
  await queue.reaches("a", "completed");
  const shown = await queue.run("show", "b");
  assert.match(
    shown.stdout,
    /^Now: +waits for its turn: queue slow may start 1 job an hour, the next in (1h|59m)( \d+s)?, no job before it$/m,
  );
  const { waits } = JSON.parse((await queue.run("show", "b", "--json")).stdout);
  assert.equal(waits.for, "queue");
  assert.ok(waits.seconds > 3500, String(waits.seconds));
  const { stdout } = await queue.run("status");
  assert.match(stdout, /^ {2}slow +: 1 pending, 0 running, at most 1\/h \(the next in (1h|59m)( \d+s)?\)$/m);
  const [, , slow] = JSON.parse((await queue.run("queue", "list", "--json")).stdout);
  assert.ok(slow.next_start > 3500 && slow.next_start <= 3605, String(slow.next_start));
});

queueTest("show of a job that is not there", async (queue) => {
  await queue.enqueue({ id: "job-1", command: "true" }, { id: "job-2", command: "true" });
  assert.deepEqual(await queue.run("show", "x"), { code: 3, stdout: "", stderr: "No job found with id x\n" });
  assert.equal(
    (await queue.run("show", "jbo-1")).stderr,
    'No job found with id jbo-1 (did you mean "job-1"?)\n',
  );
  const several = await queue.run("show", "job");
  assert.deepEqual([several.code, several.stdout], [2, ""]);
  assert.equal((await queue.run("show")).code, 2);
});
