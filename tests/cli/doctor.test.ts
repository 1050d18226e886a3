/** `queuectl doctor`: what it finds, what it says to do, and that it changes nothing. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { makeQueue } from "../helpers/damaged.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { openStore } from "../../src/store/open.ts";
import { type ProgramResult, runProgram } from "../helpers/program.ts";
import { programTest, spoolIn } from "../helpers/program_test.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** Runs doctor, which never says anything but findings on standard output. */
async function examine(ended: Promise<ProgramResult>): Promise<{ code: number; findings: string[] }> {
  const { code, stdout, stderr } = await ended;
  assert.equal(stderr, "");
  const findings = stdout.trimEnd().split("\n");
  for (const line of findings) assert.match(line, /^(ok {3}|note |error) \S/);
  return { code, findings };
}

/** One of the findings is this one. */
function assertFound(findings: string[], pattern: RegExp): void {
  assert.ok(findings.some((line) => pattern.test(line)), `${pattern} is not in\n${findings.join("\n")}`);
}

programTest("doctor: without a database it says so, and makes none", async ({ run, assertUntouched }) => {
  const { code, findings } = await examine(run(["doctor"]));
  assert.equal(code, 0);
  assertFound(findings, /^note {2}There is no database .* yet; enqueue makes it$/);
  await assertUntouched();
});

queueTest("doctor: a queue at work is sound", async (queue) => {
  await queue.enqueue({ id: "a", command: untilFile("go") });
  const manager = queue.start("--count", "2");
  await manager.line(/picked job a/);
  await manager.line(/Worker-2: started$/);
  const { code, findings } = await examine(queue.run("doctor"));
  assert.deepEqual([code, findings.filter((line) => !line.startsWith("ok "))], [0, []]);
  assertFound(findings, /^ok {4}The data is sound$/);
  assertFound(findings, new RegExp(`^ok    Manager \\(pid ${manager.pid}\\) is at work$`));
  assertFound(findings, /^ok {4}Worker-\d \(pid \d+\) is at work on 1 job$/);
  queue.touch("go");
  await queue.reaches("a", "completed");
});

// The pages of a server's database are for the server to check.
programTest("doctor: damage in the pages is found, and what to do is said", async ({ run, place }) => {
  await makeQueue(place.url);
  const bytes = await Deno.readFile(place.url);
  // The last page, far from what opening looks at.
  bytes.fill(0xff, bytes.length - 4096);
  await Deno.writeFile(place.url, bytes);
  const { code, findings } = await examine(run(["doctor"]));
  assert.equal(code, 5);
  assertFound(findings, /^error /);
  assertFound(findings, /^(note |error) .*restore .*backup.*sqlite3 .* \.recover/);
  assert.deepEqual(await Deno.readFile(place.url), bytes);
}, { on: sqliteAlone });

// Servers that cannot be used are in tests/store/postgres/unusable.test.ts.
Deno.test("doctor: a file that cannot be opened at all is an error, in one line", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/queuectl.db`, "# notes\n".repeat(1000));
  const { code, findings } = await examine(runProgram(["doctor"], { cwd: folder.path }));
  assert.deepEqual([code, findings.length], [5, 1]);
  assertFound(findings, /^error .*queuectl\.db is not a SQLite database$/);
});

programTest("doctor: what breaks an invariant is found, row by row", async ({ run, place, isSqlite }) => {
  await makeQueue(place.url);
  const miscount = isSqlite
    ? "UPDATE counters SET value = value + 1 WHERE name = 'pending'"
    : "UPDATE counters SET pending = pending + 1 WHERE shard = 0";
  const cases: Array<[string, RegExp]> = [
    [miscount, /^error 1 counts of `status` differ/],
    ["UPDATE jobs SET available = true WHERE id = 'job-dead-1'", /^error 1 jobs that are not waiting could/],
    ["UPDATE jobs SET worker = NULL WHERE state = 'processing'", /^error 3 jobs run without a worker/],
    ["UPDATE jobs SET available = false WHERE id = 'job-149'", /^error 1 jobs wait for nothing/],
    [
      "UPDATE jobs SET env = '{\"NAME' WHERE id = 'job-148'",
      /^error 1 jobs have variables that cannot be read/,
    ],
    [
      "UPDATE jobs SET env = '{\"NAME\": 5}' WHERE id = 'job-148'",
      /^error 1 jobs have variables that cannot/,
    ],
    ["UPDATE jobs SET state = 'odd' WHERE id = 'job-dead-2'", /^error 1 jobs are in a state/],
  ];
  for (const [sql, pattern] of cases) {
    await place.query(sql);
    const { code, findings } = await examine(run(["doctor"]));
    assert.equal(code, 5, sql);
    assertFound(findings, pattern);
  }
});

programTest(
  "doctor: a newer schema is told with the exit status of its own",
  async ({ run, place, isSqlite }) => {
    await makeQueue(place.url);
    await place.query(isSqlite ? "PRAGMA user_version = 999" : "UPDATE queue SET version = 999");
    const { code, findings } = await examine(run(["doctor"]));
    assert.deepEqual([code, findings.length], [6, 1]);
    assertFound(findings, /^error .*schema 999.*use a newer queuectl$/);
  },
);

programTest(
  "doctor: who else may write the queue is an error, who may read it is worth knowing",
  async ({ run, place, env, isSqlite }) => {
    await makeQueue(place.url);
    let spool: string;
    {
      await using store = await openStore(place.url, { missing: "empty", durable: false });
      spool = spoolIn(env, store.spool);
    }
    await Deno.mkdir(spool, { recursive: true, mode: 0o700 });
    await using stack = new AsyncDisposableStack();
    // Where the environment cannot move it it is outside of the test's folder.
    stack.defer(() => Deno.remove(spool));
    const ofSpool: Array<[string, number, number, RegExp]> = [
      [spool, 0o770, 5, /^error .*\.spool for .* can be written by other users.*; .*"chmod go-w .*\.spool"$/],
      [spool, 0o755, 0, /^note .*\.spool can be read by other users/],
    ];
    const ofFile: Array<[string, number, number, RegExp]> = [
      [place.url, 0o620, 5, /^error .*queuectl\.db can be written by other users.*; .*"chmod go-w .*\.db"$/],
      [place.url, 0o602, 5, /^error .*queuectl\.db can be written by other users/],
      [place.url, 0o644, 0, /^note .*queuectl\.db can be read by other users/],
      [place.url, 0o600, 0, /^ok {4}The data is sound$/],
    ];
    // A database on a server is no file.
    for (const [path, mode, expected, pattern] of isSqlite ? [...ofFile, ...ofSpool] : ofSpool) {
      await Deno.chmod(path, mode);
      const { code, findings } = await examine(run(["doctor"]));
      assert.equal(code, expected, findings.join("\n"));
      assertFound(findings, pattern);
      await Deno.chmod(path, path === spool ? 0o700 : 0o600);
    }
  },
  { ignore: posixOnly("modes of files") },
);

queueTest("doctor: waiting jobs without a worker, and a worker that is gone, are told", async (queue) => {
  await queue.enqueue({ id: "a", command: untilFile("go") });
  assertFound((await examine(queue.run("doctor"))).findings, /^note {2}1 job waits, but no worker runs/);
  await queue.enqueue({ id: "b", command: "true" });
  const idle = await examine(queue.run("doctor"));
  assert.equal(idle.code, 0);
  assertFound(idle.findings, /^note {2}2 jobs wait, but no worker runs; start one: queuectl worker start$/);

  const manager = queue.start();
  await manager.line(/picked job a/);
  const worker = await manager.workerPid();
  await kill(manager.pid);
  await kill(worker);
  const { code, findings } = await examine(queue.run("doctor"));
  assert.equal(code, 0);
  assertFound(
    findings,
    new RegExp(
      `^note  Manager \\(pid ${manager.pid}\\) is gone; it will be forgotten when a worker starts; `,
    ),
  );
  assertFound(
    findings,
    new RegExp(
      `^note  Worker-1 \\(pid ${worker}\\) is gone; its 1 job will be taken over when a worker starts`,
    ),
  );
  queue.touch("go");
  assert.equal((await queue.start("--drain").status).code, 0);
  assertFound((await examine(queue.run("doctor"))).findings, /^ok {4}Nothing waits, and no worker runs$/);
});

queueTest("doctor: a worker that stands still for longer than its lease is an error", async (queue) => {
  await queue.store.setSetting("lease", "2s");
  await queue.enqueue({ id: "a", command: untilFile("go") });
  const manager = queue.start();
  await manager.line(/picked job a/);
  const worker = await manager.workerPid();
  sendSignal(worker, "SIGSTOP");
  try {
    await untilExpired(queue, worker);
    const { code, findings } = await examine(queue.run("doctor"));
    assert.equal(code, 5);
    assertFound(
      findings,
      new RegExp(`^error Worker-1 \\(pid ${worker}\\) is there, .*lease; .*end it with: kill -9 ${worker} `),
    );
  } finally {
    sendSignal(worker, "SIGCONT");
  }
  queue.touch("go");
  await queue.reaches("a", "completed");
}, { ignore: posixOnly("stopped processes") });

async function untilExpired(queue: Queue, pid: number): Promise<void> {
  await waitFor(
    "the end of the lease",
    async () =>
      (await queue.store.processes()).some(({ identity, expired }) => identity.pid === pid && expired),
  );
}

queueTest("doctor: a database that somebody writes is looked at all the same", async (queue) => {
  const writer = await queue.place.begin("write");
  await writer.query("INSERT INTO config VALUES ('timeout', '1m')");
  const { code, findings } = await examine(queue.run("doctor"));
  assert.equal(code, 0);
  assertFound(findings, /^ok {4}The data is sound$/);
  await writer.end("ROLLBACK");
});
