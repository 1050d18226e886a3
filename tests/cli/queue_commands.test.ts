import assert from "node:assert/strict";
import { join } from "node:path";
import type { NewJob } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import { programCommand, runProgram } from "../helpers/program.ts";
import { programTest } from "../helpers/program_test.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const plain: Omit<NewJob, "id"> = {
  command: "nonexistent_command",
  attempts: 0,
  maxRetries: 0,
  priority: 0,
  timeout: null,
  baseBackoff: null,
  cwd: null,
  env: null,
};

/** Makes a queue of jobs that have run and are dead, with this error. */
async function makeDead(url: string, ids: readonly string[], error: string): Promise<void> {
  await using store = await openStore(url, { missing: "create", durable: false });
  await store.enqueue(ids.map((id) => ({ ...plain, id })));
  const worker = await store.register({
    role: "worker",
    manager: null,
    number: 1,
    concurrency: 1,
    identity: { host: "box/1", boot: "b", pid: 4711, start: "s" },
    lease: 3_600_000,
  });
  const { claims } = await store.exchange(worker, [], ids.length);
  const finished = claims.map(({ seq, queue, claim, run, attempt, startedAt }) => ({
    seq,
    queue,
    claim,
    run,
    attempt,
    startedAt,
    outcome: { kind: "exited", code: 127 } as const,
    output: "out\x1b[31m",
    errorOutput: error,
    next: { state: "dead", error } as const,
  }));
  await store.exchange(worker, finished, 0);
  await store.leave(worker);
}

programTest(
  "without a database every question is answered as for an empty queue, and none is made",
  async (test) => {
    const status =
      "Queue Status:\n  pending    : 0\n  processing : 0\n  completed  : 0\n  failed     : 0\n  dead       : 0\n";
    const cases: Array<[string[], string]> = [
      [["list"], "No jobs found.\n"],
      [["list", "--json"], "[]\n"],
      [["status"], status],
      [["dlq", "list"], "No jobs in DLQ.\n"],
      [["dlq", "list", "--json"], "[]\n"],
      [["dlq", "retry", "--all"], "No jobs in DLQ.\n"],
      [["worker", "list"], "No workers running.\n"],
      [["worker", "list", "--json"], "[]\n"],
      [["worker", "stop"], "No active worker manager found.\n"],
      [["config", "get", "grace"], "10s\n"],
      [["config", "unset", "grace"], "grace was not set; it is 10s (the default).\n"],
    ];
    for (const [args, stdout] of cases) {
      assert.deepEqual(
        await test.run(args),
        { code: 0, stdout, stderr: "" },
        args.join(" "),
      );
    }
    await test.assertUntouched();
  },
);

programTest("dlq shows dead jobs, gives them back and removes them", async (test) => {
  await makeDead(
    test.place.url,
    ["bad-1", "bad-2", "bad-3", "worse"],
    "sh: 1: nonexistent_command:\n\x1b[31mnot found",
  );
  const list = await test.run(["dlq", "list"]);
  assert.match(
    list.stdout,
    /^bad-1 +\| nonexistent_command +\| sh: 1: nonexistent_command:↵\\x1b\[31mnot found$/m,
  );
  const [dead] = JSON.parse((await test.run(["dlq", "list", "--json"])).stdout);
  assert.deepEqual([dead.id, dead.state, dead.attempts, dead.output], ["bad-1", "dead", 1, "out\x1b[31m"]);
  assert.match(dead.last_error, /not found$/);
  const { pending, failed, dead: count } = JSON.parse((await test.run(["status", "--json"])).stdout);
  assert.deepEqual([pending, failed, count], [0, 0, 4]);

  assert.deepEqual(await test.run(["dlq", "retry", "no-such-job"]), {
    code: 3,
    stdout: "",
    stderr: "No DLQ job found with id no-such-job\n",
  });
  const retried = await test.run(["dlq", "retry", "bad-1", "w", "bad-1"]);
  assert.equal(
    retried.stdout,
    "Job bad-1 moved back to pending queue.\nJob worse moved back to pending queue.\n",
  );
  const again = await test.run(["dlq", "retry", "bad-1"]);
  assert.deepEqual([again.code, again.stdout], [4, ""]);
  assert.equal((await test.run(["dlq", "purge", "bad-2"])).stdout, "Job bad-2 purged.\n");
  const all = await test.run(["dlq", "retry", "--all"]);
  assert.equal(all.stdout, "1 job moved back to pending queue.\n");
  assert.equal((await test.run(["dlq", "purge", "--all"])).stdout, "No jobs in DLQ.\n");
  const jobs = JSON.parse((await test.run(["list", "--json", "--state", "pending"])).stdout);
  assert.deepEqual(jobs.map((job: { id: string; attempts: number }) => [job.id, job.attempts]), [
    ["bad-1", 0],
    ["bad-3", 0],
    ["worse", 0],
  ]);
});

programTest("list shows the newest jobs and says when there are more", async (test) => {
  const stdin = ["a", "b", "c"].map((id) => `{"id": "${id}", "command": "printf '\\u001b[2J\\n'"}\n`).join(
    "",
  );
  await test.run(["enqueue", "-"], stdin);
  const cut = await test.run(["list", "--limit", "2"]);
  assert.equal(cut.stderr, "Showing the newest 2 jobs; use --limit to see more. Next page: --cursor 2\n");
  assert.deepEqual(cut.stdout.trimEnd().split("\n").slice(2), [
    `${"b".padEnd(36)} | pending    |        0 | printf '\\x1b[2J↵'`,
    `${"c".padEnd(36)} | pending    |        0 | printf '\\x1b[2J↵'`,
  ]);
  assert.equal((await test.run(["list", "--limit", "3", "--json"])).stderr, "");
  assert.equal((await test.run(["list", "--state", "failed"])).stdout, "No jobs found.\n");
});

programTest("--db and QUEUECTL_DB choose the database, the flag before the environment", async (test) => {
  const other = test.another();
  await test.run(["enqueue", '{"id": "env", "command": "x"}']);
  await test.run(["--db", other, "enqueue", '{"id": "flag", "command": "x"}']);
  assert.match((await test.run(["list", `--db=${other}`])).stdout, /^flag /m);
  assert.match((await test.run(["list"])).stdout, /^env /m);
});

// Only files have paths.
Deno.test("the path of a database is taken from the current folder, in which queuectl.db is one", async () => {
  await using folder = await temporaryFolder();
  const options = { cwd: folder.path, env: { QUEUECTL_DB: "environment.db" } };
  await runProgram(["enqueue", '{"command": "x"}'], options);
  await runProgram(["--db", "flag.db", "enqueue", '{"command": "x"}'], options);
  await runProgram(["enqueue", '{"command": "x"}'], { cwd: folder.path });
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    "environment.db",
    "flag.db",
    "queuectl.db",
  ]);
});

programTest("settings are listed, changed and put back", async (test) => {
  assert.equal(
    (await test.run(["config", "set", "timeout", "1.5m"])).stdout,
    "Set timeout to 90s.\n",
  );
  assert.equal((await test.run(["config", "get", "timeout"])).stdout, "90s\n");
  assert.match((await test.run(["config", "list"])).stdout, /^timeout +\| 90s +\| stored$/m);
  const listed = JSON.parse((await test.run(["config", "list", "--json"])).stdout);
  assert.deepEqual(listed[0], { key: "max-retries", value: "3", source: "default" });
  const unset = await test.run(["config", "unset", "timeout"]);
  assert.equal(unset.stdout, "Unset timeout; it is 1h (the default).\n");
});

// Servers that cannot be used are in tests/store/postgres/unusable.test.ts.
Deno.test("a database that cannot be used is explained in one line", async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  Deno.mkdirSync(join(cwd, "folder"));
  Deno.writeTextFileSync(join(cwd, "text"), "not a database, and longer than the header of one. ".repeat(20));
  const cases: Array<[string[], RegExp]> = [
    [["list", "--db", "folder"], /is a folder, not a file$/],
    [["enqueue", '{"command": "x"}', "--db", "folder"], /is a folder, not a file$/],
    [["status", "--db", "text"], /is not a SQLite database$/],
    [["enqueue", '{"command": "x"}', "--db", "none/x.db"], /its folder .* does not exist$/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runProgram(args, { cwd });
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" }, args.join(" "));
    assert.match(stderr, /^The database [^\n]+\n$/);
    assert.match(stderr.trimEnd(), message);
  }
});

programTest("a reader that stops reading ends the program quietly", async (test) => {
  await test.run(["enqueue", "-"], '{"command": "echo hello"}\n'.repeat(1000));
  for (const args of [["list"], ["list", "--json"], ["--help"]]) {
    const { path: cwd, env } = test;
    const child = programCommand(args, { cwd, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
    // Closed long before the program has something to write.
    await child.stdout.cancel();
    const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  }
});
