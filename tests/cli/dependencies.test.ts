import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { startProgram } from "../helpers/following.ts";

queueTest("jobs run after those they wait for, whose results decide", async (queue) => {
  const enqueue = async (...args: string[]) => {
    const { code, stderr } = await queue.run("enqueue", ...args);
    assert.equal(code, 0, stderr);
  };
  await enqueue("--id", "build", steps(untilFile("go"), note("build", "order"), "exit 0"));
  await enqueue("--id", "break", "--max-retries", "0", "exit 3");
  await enqueue("--id", "test", "--after", "build", note("test", "order"));
  await enqueue("--id", "deploy", "--after", "build,test", "--after-any", "break", note("deploy", "order"));
  await enqueue('{"id": "never", "command": "echo never >> order", "after": ["break", "build"]}');
  const shown = await queue.run("show", "deploy");
  assert.match(
    shown.stdout,
    /^Now: +waits for job build, which is pending, and 2 more jobs; no worker runs/m,
  );
  assert.match(shown.stdout, /^After: +build \(pending\), test \(pending\)$/m);
  assert.match(shown.stdout, /^After any: +break \(pending\)$/m);
  assert.match((await queue.run("show", "build")).stdout, /^Before: +test, deploy, never$/m);
  const blocked = JSON.parse((await queue.run("list", "--state", "blocked", "--json")).stdout);
  assert.deepEqual(blocked.map(({ id }: { id: string }) => id), ["test", "deploy", "never"]);
  const manager = queue.start("--count", "2", "--drain");
  const { code, stderr } = await queue.run("wait", "never");
  assert.equal(code, 143);
  assert.match(stderr, /Job never is cancelled: Job "break" that it waits for is dead\n/);
  queue.touch("go");
  assert.equal((await manager.status).code, 1, "a job is dead");
  assert.equal(queue.read("order"), "build\ntest\ndeploy\n");
  const never = JSON.parse((await queue.run("show", "--json", "never")).stdout);
  assert.deepEqual(
    [never.state, never.last_error, never.after, never.after_any, never.blocked],
    ["cancelled", 'Job "break" that it waits for is dead', ["build", "break"], [], 0],
  );
  const refused = await queue.run("retry", "never");
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /job "break" that it waits for is dead; retry that one first/);
  assert.equal((await queue.run("retry", "break")).code, 0);
  assert.equal((await queue.job("never")).state, "pending");
});

queueTest(
  "run and logs -f of a job that waits for others end when it is cancelled with them",
  async (queue) => {
    await queue.enqueue({ id: "parent", command: "true" });
    const running = startProgram(queue, ["run", "--id", "child", "--after", "parent", "echo child"]);
    await running.line(/^Job child waits for job parent, which is pending/);
    const following = queue.run("logs", "-f", "child");
    await queue.run("cancel", "parent");
    assert.equal((await running.status).code, 143);
    await running.closed;
    for (const text of [running.lines.join("\n"), (await following).stderr]) {
      assert.match(text, /^Job child is cancelled: Job "parent" that it waits for is cancelled$/m);
    }
    const late = await queue.run("enqueue", "--id", "late", "--after", "parent", "echo x");
    assert.deepEqual([late.code, late.stdout], [0, "Job late inserted.\n"]);
    assert.equal(late.stderr, 'Job late is cancelled: Job "parent" that it waits for is cancelled\n');
  },
);

queueTest("what a job is to wait for has to be there, and not itself", async (queue) => {
  await queue.enqueue({ id: "nightly", command: "true" });
  const cases: Array<[string[], number, RegExp]> = [
    [
      ["--after", "nighly"],
      3,
      /^No job found with id nighly \(did you mean "nightly"\?\), for which job "x"/,
    ],
    [["--after-any", "nightly,none"], 3, /^No job found with id none, for which job "x" is to wait; nothing/],
    [["--after", "x"], 2, /^Job "x" cannot wait for itself; nothing was stored\n$/],
    [["--after", ""], 2, /^Each of flag --after must be 1 to 255 characters long/],
  ];
  for (const [flags, status, words] of cases) {
    const { code, stderr } = await queue.run("enqueue", "--id", "x", ...flags, "true");
    assert.equal(code, status, stderr);
    assert.match(stderr, words);
  }
  assert.equal((await queue.store.counts()).pending, 1);
});

queueTest("an unknown one is told with its line, not with an id that nobody has given", async (queue) => {
  const lines = ['{"command": "true"}', "", '{"command": "true", "after": ["nightly"]}', ""];
  Deno.writeTextFileSync(`${queue.path}/jobs`, lines.join("\n"));
  const words = "No job found with id nightly, for which the job is to wait; nothing was stored\n";
  const many = await queue.run("enqueue", "--file", `${queue.path}/jobs`);
  assert.deepEqual([many.code, many.stderr.endsWith(`Line 3: ${words}`)], [3, true], many.stderr);
  const one = await queue.run("enqueue", "--after", "nightly", "true");
  assert.deepEqual([one.code, one.stderr], [3, words]);
});

queueTest("cancel, retry and rm tell what became of jobs that wait for them", async (queue) => {
  for (const job of [{ id: "p" }, { id: "c", after: ["p"] }, { id: "d", after: ["c"] }]) {
    await queue.enqueue({ command: "true", ...job });
  }
  const tells = async (args: string[], text: string) => assert.equal((await queue.run(...args)).stdout, text);
  await tells(["cancel", "p"], "Job p cancelled; 2 dependants cancelled.\n");
  await tells(["retry", "p"], "Job p moved back to pending queue; 2 dependants put back.\n");
  await tells(["cancel", "p", "--json"], '{"count":1,"ids":["p"],"running":[],"dependants":2}\n');
  await tells(["retry", "p", "--json"], '{"count":1,"ids":["p"],"dependants":2,"left":0}\n');
  await tells(["rm", "p"], "Job p removed; 2 dependants cancelled.\n");
});
