import assert from "node:assert/strict";
import { startProgram } from "../helpers/following.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { isWindows, note, steps, untilFile, variable } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest("wait ends with the exit status of its job, once that has ended for good", async (queue) => {
  const attempt = variable("QUEUECTL_ATTEMPT");
  const command = steps(untilFile("go"), note(attempt, "ran"), `exit ${attempt}`);
  await queue.enqueue({ id: "job", command, maxRetries: 2 });
  const waiter = startProgram(queue, ["wait", "job"]);
  await waiter.line(/^No worker runs; start one: queuectl worker start$/);
  queue.start();
  await queue.reaches("job", "processing");
  queue.touch("go");
  assert.equal((await waiter.status).code, 3);
  await waiter.closed;
  assert.equal(queue.read("ran"), "1\n2\n3\n");
  assert.equal(waiter.lines.at(-1), "Job job is dead: exit code 3");
});

queueTest("wait of jobs that have ended", async (queue) => {
  await queue.enqueue(
    { id: "done", command: "true" },
    { id: "also", command: "true" },
    { id: "dead", command: "exit 7", maxRetries: 0 },
    { id: "killed", command: isWindows ? "exit 137" : "kill -9 $$", maxRetries: 0 },
    { id: "slow", command: "sleep 99", maxRetries: 0, timeout: 50 },
    { id: "gone", command: "true", priority: -1 },
  );
  await queue.store.cancel(["gone"]);
  await queue.run("worker", "start", "--drain", "--concurrency", "4");
  const cases: Array<[string[], number, string]> = [
    [["done"], 0, ""],
    [["don"], 0, ""],
    [["done", "done"], 0, ""],
    [["done", "also"], 0, ""],
    [["dead"], 7, "Job dead is dead: exit code 7\n"],
    [["killed"], 137, `Job killed is dead: ${isWindows ? "exit code 137" : "SIGKILL"}\n`],
    [["slow"], 142, "Job slow is dead: timed out\n"],
    [["gone"], 143, "Job gone is cancelled\n"],
    [["done", "dead"], 1, "Job dead is dead: exit code 7\n"],
    [["nothing"], 3, "No job found with id nothing\n"],
    [["done", "kiled"], 3, 'No job found with id kiled (did you mean "killed"?)\n'],
    [["--all"], 1, "4 jobs failed or cancelled: queuectl list --state dead,cancelled\n"],
    [["--timeout", "0", "done"], 0, ""],
    [[], 2, "Argument ID is missing; give ids of jobs, --all, --queue or --tag\n"],
    [["--all", "done"], 2, "Give the ids of jobs or --all, not both\n"],
    [["--timeout", "x", "done"], 2, 'Flag --timeout takes a duration like 500ms, 30s, 10m or 2h, not "x"\n'],
  ];
  for (const [args, code, stderr] of cases) {
    assert.deepEqual(await queue.run("wait", ...args), { code, stdout: "", stderr }, args.join(" "));
  }
});

queueTest("wait --timeout gives up with status 124, as timeout(1)", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" }, { id: "b", command: "true" });
  for (const args of [["a"], ["a", "b"], ["--all"]]) {
    const { code, stderr } = await queue.run("wait", "--timeout", "10ms", ...args);
    assert.equal(code, 124, args.join(" "));
    const isOne = args[0] === "a" && args.length === 1;
    assert.match(stderr, isOne ? /^1 job not ended in time: a$/m : /^2 jobs not ended in time: a, b$/m);
  }
  await queue.enqueue(...["c", "d", "e", "f"].map((id) => ({ id, command: "true", tags: ["x"] })));
  const cases: Array<[args: string[], message: RegExp]> = [
    [["--all"], /^6 jobs not ended in time: a, b, c, d, e, …$/m],
    [["a", "b", "c", "d", "e", "f"], /^6 jobs not ended in time: a, b, c, d, e, …$/m],
    [["--tag", "x"], /^4 jobs not ended in time: c, d, e, f$/m],
  ];
  for (const [args, message] of cases) {
    assert.match((await queue.run("wait", "--timeout", "10ms", ...args)).stderr, message);
  }
});

queueTest("wait --all ends when nothing is left, with 1 where a job has failed", async (queue) => {
  for (const [command, code] of [["exit 0", 0], ["exit 1", 1]] as const) {
    const go = `go-${code}`;
    await queue.enqueue({ id: `job-${code}`, command: steps(untilFile(go), command), maxRetries: 1 });
    const waiter = startProgram(queue, ["wait", "--all"]);
    await waiter.line(/^No worker runs/);
    const manager = queue.start();
    await queue.reaches(`job-${code}`, "processing");
    queue.touch(go);
    assert.equal((await waiter.status).code, code);
    await queue.stop(manager);
    await manager.status;
  }
  // Who comes late is told too, until somebody has done something about it.
  const late = await queue.run("wait", "--all");
  assert.deepEqual([late.code, late.stderr], [
    1,
    "1 job failed or cancelled: queuectl list --state dead,cancelled\n",
  ]);
  await queue.run("dlq", "purge", "--all");
  assert.equal((await queue.run("wait", "--all")).code, 0);
});

queueTest("wait ends when its job is cancelled or removed", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" }, { id: "b", command: "false", maxRetries: 0 });
  const waiter = startProgram(queue, ["wait", "a"]);
  await waiter.line(/^No worker runs/);
  await queue.run("cancel", "a");
  assert.equal((await waiter.status).code, 143);
});

queueTest(
  "wait --queue and --tag wait for the jobs that have them, and tell of those that have failed",
  async (queue) => {
    await queue.enqueue({ id: "before", command: "false", maxRetries: 0, queue: "a" });
    await queue.run("worker", "start", "--drain");
    await queue.enqueue(
      { id: "fails", command: steps(untilFile("a"), "exit 3"), maxRetries: 0, queue: "a", tags: ["x"] },
      { id: "works", command: untilFile("b"), queue: "b", tags: ["x", "y"] },
      { id: "newer", command: untilFile("a"), queue: "a", tags: ["y"] },
    );
    const late = await queue.run("wait", "--queue", "a", "--timeout", "10ms");
    assert.equal(late.code, 124);
    // How much is said before depends on how soon the time is over.
    assert.match(late.stderr, /^(No worker runs; .*\n)?2 jobs not ended in time: fails, newer\n$/);
    const [a, b, both] = [["--queue", "a"], ["--tag", "y", "--queue", "b"], ["--tag", "x"]].map((flags) =>
      startProgram(queue, ["wait", ...flags])
    );
    for (const waiter of [a, b, both]) await waiter.line(/^No worker runs; /);
    queue.start("--concurrency", "3");
    queue.touch("a");
    assert.equal((await a.status).code, 1);
    await a.closed;
    assert.equal(a.lines.at(-1), "2 jobs failed or cancelled: queuectl list --state dead,cancelled");
    queue.touch("b");
    assert.equal((await b.status).code, 0);
    assert.equal((await both.status).code, 1);
    await Promise.all([b.closed, both.closed]);
    const ended = await queue.run("wait", "--queue", "a,b");
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^2 jobs failed or cancelled: /);
  },
);

queueTest(
  "wait --queue waits neither for held jobs nor for those that have left the queue",
  async (queue) => {
    await queue.enqueue(
      { id: "held", command: "true", queue: "a", held: true },
      { id: "blocked", command: "true", queue: "a", after: ["held"], held: true },
      { id: "leaves", command: "true", queue: "a" },
    );
    const waiter = startProgram(queue, ["wait", "--queue", "a"]);
    await waiter.line(/^No worker runs; /);
    assert.equal((await queue.run("move", "leaves", "--queue", "b")).code, 0);
    assert.equal((await waiter.status).code, 0);
    await waiter.closed;
  },
);

queueTest("wait is told what to wait for in one way", async (queue) => {
  await queue.enqueue({ id: "a", command: "true", queue: "media", tags: ["nightly"] });
  const cases: Array<[string[], number, string]> = [
    [["--queue", "meida"], 3, 'There is no queue "meida" (did you mean "media"?)\n'],
    [["--tag", "zzz"], 3, 'No job has the tag "zzz"\n'],
    [["--tag", "nightly,nihgtly"], 3, 'No job has the tag "nihgtly" (did you mean "nightly"?)\n'],
    [["--tag", "nihgtly"], 3, 'No job has the tag "nihgtly" (did you mean "nightly"?)\n'],
    [["--all", "--tag", "x"], 2, "Give --all or --queue or --tag, not both\n"],
    [["a", "--queue", "media"], 2, "Give the ids of jobs or --queue or --tag, not both\n"],
    [[], 2, "Argument ID is missing; give ids of jobs, --all, --queue or --tag\n"],
  ];
  for (const [args, code, stderr] of cases) {
    const ended = await queue.run("wait", ...args);
    assert.deepEqual([ended.code, ended.stderr], [code, stderr]);
  }
});

queueTest("wait does not wait for jobs behind held ones, or in paused queues", async (queue) => {
  await queue.enqueue(
    { id: "held", command: "true", held: true, queue: "mail" },
    { id: "child", command: "true", after: ["held"], queue: "mail" },
    { id: "grandchild", command: "true", after: ["child"], queue: "mail", tags: ["t"] },
  );
  for (const way of [["--queue", "mail"], ["--tag", "t"]]) {
    const result = await queue.run("wait", "--timeout", "1m", ...way);
    const left = way[0] === "--tag" ? "1 job left. It waits" : "2 jobs left. They wait";
    assert.deepEqual(result, { code: 0, stdout: "", stderr: `${left} behind held jobs\n` });
  }
  assert.deepEqual(await queue.run("wait", "--all", "--timeout", "1m"), {
    code: 0,
    stdout: "",
    stderr: "2 jobs left. They wait for somebody: for a paused queue, or behind held jobs\n",
  });
  assert.match(
    (await queue.run("show", "child")).stdout,
    /^Now: +waits for job held, which is held; no worker/m,
  );
  await queue.run("release", "held");
  await queue.run("pause", "mail");
  assert.match(
    (await queue.run("show", "child")).stdout,
    /^Now: +waits for job held, which is pending in queue mail, which is paused; /m,
  );
  assert.equal((await queue.run("wait", "--all", "--timeout", "1m")).code, 0);
  await queue.run("resume");
  assert.match(
    (await queue.run("wait", "--all", "--timeout", "1ms")).stderr,
    /^(No worker runs; .*\n)?3 jobs not ended in time: held, child, grandchild\n$/,
  );
  queue.start();
  assert.equal((await queue.run("wait", "--all")).code, 0);
  assert.equal((await queue.job("grandchild")).state, "completed");
});

queueTest("wait --queue waits for jobs behind those of a paused queue, as for these", async (queue) => {
  await queue.enqueue(
    { id: "build", command: "true", queue: "build" },
    { id: "deploy", command: "true", queue: "deploy", after: ["build"], tags: ["t"] },
  );
  await queue.run("pause", "build");
  for (const way of [["--queue", "deploy"], ["--tag", "t"]]) {
    const { code, stderr } = await queue.run("wait", "--timeout", "1ms", ...way);
    assert.equal(code, 124);
    assert.match(stderr, /^(No worker runs; .*\n)?1 job not ended in time: deploy\n$/);
  }
  const waiter = startProgram(queue, ["wait", "--queue", "deploy"]);
  queue.start();
  await queue.run("resume", "build");
  assert.equal((await waiter.status).code, 0);
  assert.equal((await queue.job("deploy")).state, "completed");
});

queueTest("wait tells what somebody has to do before its jobs go on", async (queue) => {
  queue.start("--queue", "mail");
  await waitFor("a worker", async () => (await queue.store.processes()).length === 2);
  await queue.enqueue(
    { id: "held", command: "true", queue: "mail", held: true },
    { id: "here", command: "true" },
    { id: "paused", command: "true", queue: "slow" },
    { id: "behind", command: "true", queue: "mail", after: ["paused"] },
  );
  await queue.run("pause", "slow");
  const waiter = startProgram(queue, ["wait", "held", "here", "behind"]);
  await waiter.line(/^Job held is held; release it: queuectl release held$/);
  await waiter.line(
    /^Job here waits: no worker takes jobs of queue default; start one: queuectl worker start --queue default$/,
  );
  await waiter.line(/^Job behind waits for job paused, which is pending in queue slow, which is paused$/);
  const other = startProgram(queue, ["wait", "--queue", "slow"]);
  await other.line(/^No worker takes jobs of queue slow; start one: queuectl worker start --queue slow$/);
  queue.start();
  await queue.run("release", "held");
  await queue.run("resume", "slow");
  assert.equal((await waiter.status).code, 0);
  assert.equal((await other.status).code, 0);
});

queueTest("wait goes on with the others when one of several jobs is removed", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" }, { id: "b", command: "true" });
  const waiter = startProgram(queue, ["wait", "a", "b"]);
  await waiter.line(/^No worker runs/);
  await queue.run("rm", "a");
  queue.start();
  await queue.reaches("b", "completed");
  assert.equal((await waiter.status).code, 3);
  await waiter.closed;
  assert.equal(waiter.lines.at(-1), "Job a was removed");
});
