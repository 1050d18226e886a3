/** Commands that change jobs: by their ids, or by the filters of `list`. */

import assert from "node:assert/strict";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { printed, variable } from "../helpers/shell_commands.ts";
import { addDead, claimOne, join, newJob } from "../store/suite/harness.ts";

queueTest("cancel, retry and rm take filters, and tell how many there were", async (queue) => {
  const { store, run } = queue;
  await store.enqueue(["a-1", "a-2", "b-1"].map((id) => newJob(id)));
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
    return stdout;
  };
  assert.equal(await said("cancel", "--search", "zzz"), "No jobs to cancel.\n");
  assert.equal(await said("cancel", "--search", "A-", "--state", "waiting"), "2 jobs cancelled.\n");
  assert.equal(
    await said("retry", "--state", "cancelled", "--since", "1h"),
    "2 jobs moved back to pending queue.\n",
  );
  assert.equal(await said("retry", "--state", "cancelled"), "No jobs to retry.\n");
  assert.equal(
    await said("cancel", "--state", "pending", "--json"),
    '{"count":3,"ids":["a-1","a-2","b-1"],"running":[],"dependants":0}\n',
  );
  assert.equal(await said("restart", "b-1", "b-1"), "Job b-1 moved back to pending queue.\n");
  assert.equal(await said("rm", "--older-than", "1h"), "No jobs to remove.\n");
  assert.equal(await said("rm", "a-1", "--json"), '{"count":1,"ids":["a-1"],"dependants":0}\n');
  assert.equal(await said("rm", "--state", "cancelled,dead"), "1 job removed.\n");
  assert.equal(await said("rm", "b-1"), "Job b-1 removed.\n");
  assert.deepEqual(await store.list({ limit: 9 }), []);
});

queueTest("what runs is ended by cancel, and stays in spite of rm and clean", async (queue) => {
  const { run, store } = queue;
  await queue.enqueue({ id: "done", command: "true" });
  const manager = queue.start();
  await queue.reaches("done", "completed");
  await queue.enqueue({ id: "runs", command: "sleep 60" }, { id: "waits", command: "true" });
  await queue.reaches("runs", "processing");
  const refused = await run("rm", "runs");
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /^Job "runs" cannot be removed: its state is processing, .*queuectl cancel/);
  assert.equal((await run("rm", "--state", "processing")).code, 2);
  assert.equal((await run("clean")).stdout, "1 job removed.\n");
  const left = await run("rm", "--since", "1h");
  assert.deepEqual([left.code, left.stdout], [0, "1 job removed.\n"]);
  assert.equal(left.stderr, "Skipped 1 running job; end running jobs with: queuectl cancel\n");
  assert.equal((await run("cancel", "--state", "processing")).stdout, "1 running job being cancelled.\n");
  await queue.reaches("runs", "cancelled");
  assert.deepEqual((await store.list({ limit: 9 })).map(({ id }) => id), ["runs"]);
  await queue.stop(manager);
});

queueTest("what is asked of commands while no worker runs is told as what is to come", async (queue) => {
  const { run, store } = queue;
  await store.enqueue([newJob("a", { queue: "media" }), newJob("b", { queue: "media" })]);
  const worker = await join(store);
  await claimOne(store, worker);
  const cases: Array<[string, string]> = [
    ["signal a USR1", "Job a will be signalled with SIGUSR1.\n"],
    ["signal --queue media HUP", "1 job will be signalled with SIGHUP.\n"],
    ["pause media --commands", "Queue media paused; 1 command will be suspended.\n"],
    ["resume media --commands", "Queue media resumed; 1 command will be resumed.\n"],
    ["pause --commands --json", '{"paused":true,"queues":null,"commands":["a"]}\n'],
    ["resume --commands", "All queues resumed; 1 command will be resumed.\n"],
    ["cancel a b", "Job a will be cancelled.\nJob b cancelled.\n"],
  ];
  await store.leave(worker);
  for (const [line, stdout] of cases) {
    assert.deepEqual(await run(...line.split(" ")), {
      code: 0,
      stdout,
      stderr: "No worker runs; this takes effect when one starts: queuectl worker start\n",
    }, line);
  }
  assert.match(
    (await run("show", "a")).stdout,
    /^Now: +is being cancelled; no worker runs; start one: queuectl worker start$/m,
  );
  await run("retry", "b");
  assert.equal((await run("cancel", "b")).stderr, "");
  assert.equal((await run("pause", "--commands", "media")).code, 0);
}, { ignore: posixOnly("signals") });

queueTest("edit and --set change jobs, whose next run is another", async (queue) => {
  const { run, store } = queue;
  await queue.enqueue({ id: "a", command: "exit 1", maxRetries: 0 });
  const echo = `echo ${variable("WORD")}`;
  const edit = await run(
    ...["edit", "a", "--set", `command=${echo}`, "--set", "env.WORD=x=y", "--set", "timeout=10m"],
    ...["--set", "max-retries=2", "--set", "cwd=."],
  );
  assert.deepEqual([edit.code, edit.stdout], [0, "Job a changed.\n"]);
  const { command, env, timeout, maxRetries, cwd } = await queue.job("a");
  assert.deepEqual(
    { command, env, timeout, maxRetries, cwd },
    { command: echo, env: { WORD: "x=y" }, timeout: 600_000, maxRetries: 2, cwd: queue.path },
  );
  queue.start();
  await queue.reaches("a", "completed");
  assert.equal((await store.lastOutput("a"))?.output, printed("x=y"));
  const retried = await run(
    "retry",
    "a",
    "--set",
    "priority=7",
    "--unset",
    "timeout",
    "--unset",
    "env.WORD",
    "--json",
  );
  assert.equal(retried.stdout, '{"count":1,"ids":["a"],"dependants":0,"left":0}\n');
  await queue.reaches("a", "completed");
  const again = await queue.job("a");
  assert.deepEqual([again.priority, again.timeout, again.env], [7, null, null]);
});

queueTest("edit puts off jobs that wait, and has them run now", async (queue) => {
  const { run } = queue;
  await queue.enqueue({ id: "a", command: "true" }, { id: "b", command: "true", delay: 3_600_000 });
  const before = Date.now();
  assert.equal((await run("edit", "a", "b", "--set", "delay=2h", "--set", "priority=3")).code, 0);
  for (const id of ["a", "b"]) {
    const { nextAttemptAt, priority } = await queue.job(id);
    const edited = nextAttemptAt! - 7_200_000;
    assert.ok(before <= edited && edited <= Date.now(), String(edited));
    assert.equal(priority, 3);
  }
  assert.equal((await run("edit", "a", "--set", "at=2030-01-01T00:00Z")).stdout, "Job a changed.\n");
  assert.equal((await queue.job("a")).nextAttemptAt, Date.UTC(2030, 0));
  queue.start();
  assert.equal((await run("edit", "a", "--unset", "at")).code, 0);
  await queue.reaches("a", "completed");
  assert.equal((await run("edit", "b", "--set", "delay=0")).code, 0);
  await queue.reaches("b", "completed");
  const refused: Array<[string, number, RegExp]> = [
    [
      "edit a --unset delay",
      4,
      /^Job "a" cannot be rescheduled: its state is completed, only waiting jobs /,
    ],
    ["edit a --set delay=soon", 2, /^Field "delay" must be /],
    ["edit a --set delay=1h --unset at", 2, /^Only one of "delay" and "at" can be set or unset, once$/],
    ["edit a priority=3", 2, /^"priority=3" is no id \(did you mean --set priority=3\?\)$/],
    ["edit a max-retries=3 --set priority=1", 2, /did you mean --set max-retries=3\?\)$/],
    ["edit a --set queue=x", 2, /^Jobs get into another queue by: queuectl move ID\.\.\. --queue QUEUE$/],
    ["retry a --set delay=1h", 2, /^Only "queuectl edit" can set "delay", of waiting jobs$/],
  ];
  for (const [line, code, message] of refused) {
    const result = await run(...line.split(" "));
    assert.deepEqual([result.code, result.stdout], [code, ""], line);
    assert.match(result.stderr.trimEnd(), message);
  }
});

queueTest("dlq takes filters and changes, and shows one job", async (queue) => {
  const { run, store } = queue;
  await addDead(store, "bad-1", "bad-2", "worse");
  await store.enqueue([newJob("good")]);
  assert.match((await run("dlq", "list", "--search", "worse")).stdout, /^worse /m);
  assert.equal((await run("dlq", "list", "--older-than", "1h")).stdout, "No jobs in DLQ.\n");
  const columns = ["dlq", "list", "--columns", "id,held,priority"];
  assert.match((await run(...columns)).stdout, /^ID +\| HELD \| PRIORITY\n-+\nbad-1 +\| - {4}\| +\d+\n/);
  assert.deepEqual(JSON.parse((await run(...columns, "--json", "--search", "worse")).stdout)[0].held, false);
  assert.equal((await run("dlq", "list", "--columns", "prio")).code, 2);
  assert.match((await run("dlq", "show", "worse")).stdout, /^State: +dead$/m);
  const wrong = await run("dlq", "show", "good");
  assert.deepEqual([wrong.code, wrong.stdout], [4, ""]);
  assert.equal((await run("dlq", "purge", "--older-than", "7d")).stdout, "No such jobs in DLQ.\n");
  assert.equal((await run("dlq", "purge", "--search", "wor")).stdout, "1 job purged.\n");
  assert.equal(
    (await run("dlq", "retry", "--all", "--set", "max_retries=5")).stdout,
    "2 jobs moved back to pending queue.\n",
  );
  assert.equal((await queue.job("bad-2")).maxRetries, 5);
});

queueTest("a command that cannot be meant is refused in one line, and changes nothing", async (queue) => {
  await queue.store.enqueue([newJob("nightly")]);
  const before = await queue.store.list({ limit: 9 });
  const cases: Array<[string[], number, RegExp]> = [
    [["cancel"], 2, /^Argument ID is missing; give ids of jobs, or a filter: --state, /],
    [["retry", "a", "--state", "dead"], 2, /^Give the ids of jobs or a filter, not both$/],
    [["rm", "nighly"], 3, /^No job found with id nighly \(did you mean "nightly"\?\)$/],
    [["retry", "nightly"], 4, /^Job "nightly" cannot be retried: its state is pending, only completed, /],
    [["edit", "nightly"], 2, /^Nothing to change; give --set KEY=VALUE/],
    [["edit", "--set", "priority=1"], 2, /^Argument ID is missing/],
    [["edit", "nightly", "--set", "priority"], 2, /^Flag --set takes KEY=VALUE/],
    [["edit", "nightly", "--set", "priorty=1"], 2, /"priorty" .*\(did you mean "priority"\?\)/],
    [["edit", "nightly", "--set", "priority=high"], 2, /^Field "priority" must be a whole number/],
    [["edit", "nightly", "--set", "timeout=soon"], 2, /^Field "timeout" must be/],
    [["edit", "nightly", "--set", "backoff=quadratic"], 2, /^Field "backoff" must be one of exponential, /],
    [
      ["edit", "nightly", "--set", "retry_on=0"],
      2,
      /retry_on.* must be a whole number from -2147483648 to 4294967295, and not 0$/,
    ],
    [["edit", "nightly", "--set", "retry_on=1", "--set", "no_retry_on=1"], 2, /^Exit status 1 cannot be in/],
    [["edit", "nightly", "--unset", "priority"], 2, /^"priority" cannot be unset, only timeout, /],
    [["edit", "nightly", "--set", "env.1=x"], 2, /^Field "env" has a name/],
    [["edit", "nightly", "--set", "cwd="], 2, /^Field "cwd" must not be empty/],
    [["edit", "nightly", "--unset", "command"], 2, /^"command" cannot be unset/],
    [["edit", "nightly", "--set", "cwd=/", "--unset", "cwd"], 2, /^"cwd" is given twice$/],
    [["dlq", "retry", "--all", "--search", "x"], 2, /^Give --all or a filter, not both$/],
    [["status", "--watch"], 2, /^Flag --watch needs a terminal/],
    [["status", "--watch", "--json"], 2, /cannot be given together$/],
    [["clean", "nightly"], 2, /^Unexpected argument/],
  ];
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await queue.run(...args);
    assert.deepEqual({ code, stdout }, { code: status, stdout: "" }, args.join(" "));
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr.trimEnd(), message);
  }
  assert.deepEqual(await queue.store.list({ limit: 9 }), before);
});
