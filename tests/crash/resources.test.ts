/**
 * Real shortages: no disk, no files, no processes. What runs is not lost, what waits is not burnt, and all goes on when
 * there is enough again.
 *
 * Short memory is in memory.test.ts.
 */

import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import { statIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { type Manager, startManager } from "../helpers/manager.ts";
import { runProgram } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { canLimit, canLimitProcesses, canMount, giveAway, limit, smallDisk } from "../helpers/resources.ts";
import { runWrapped, shell, startWrapped } from "../helpers/wrapped_program.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { claimOne, finished, join, newJob, success } from "../store/suite/harness.ts";

/** A command that leaves a line for each time it runs, and then waits for `go`. */
const wait = `echo ran >>ran.$QUEUECTL_JOB_ID; ${untilFile("go")}`;
const once = "echo ran >>ran.$QUEUECTL_JOB_ID";

/** Each job ran once, to its end, and its first attempt was enough. */
async function assertRanOnce(queue: Queue, store: Store, ids: string[]): Promise<void> {
  await waitFor(
    `the end of ${ids}`,
    async () =>
      (await store.list({ limit: 100 })).every(({ id, state }) => !ids.includes(id) || isEnded(state)),
    () => store.list({ limit: 100 }),
  );
  for (const job of await store.list({ limit: 100 })) {
    if (!ids.includes(job.id)) continue;
    const outcomes = (await store.attempts(job.id)).map(({ outcome, exitCode }) => `${outcome} ${exitCode}`);
    const others = outcomes.filter((outcome) => outcome !== "handed_back null");
    assert.deepEqual(
      { id: job.id, state: job.state, attempts: job.attempts, ran: queue.read(`ran.${job.id}`), others },
      { id: job.id, state: "completed", attempts: 1, ran: "ran\n", others: ["exited 0"] },
    );
  }
}

const isEnded = (state: Job["state"]) => state === "completed" || state === "dead";

/** No line is part of a stack trace. */
function assertNoTrace(manager: Manager): void {
  assert.deepEqual(manager.lines.filter((line) => /^\s+at /.test(line)), []);
}

// The disk of a server's database is not that of its clients: only a SQLite file can be on a full one.
queueTest(
  "resources: a full disk refuses new jobs, and burns none of those that are there",
  async (queue) => {
    await using disk = await smallDisk(`${queue.path}/disk`, "1m");
    const env = { ...queue.env, QUEUECTL_DB: `${disk.path}/queuectl.db` };
    await using store = await openStore(env.QUEUECTL_DB, { missing: "create", durable: false });
    await store.enqueue(
      ["running", "waiting-1", "waiting-2"].map((id, number) =>
        newJob(id, { command: number === 0 ? wait : once, cwd: queue.path, maxRetries: 0 })
      ),
    );
    const manager = queue.watch(startManager([], queue.path, env));
    await waitFor("the command to run", () => queue.read("ran.running") !== "");
    await disk.fill();

    const lines = Array.from({ length: 200 }, (_, number) => `{"id": "line-${number}", "command": "true"}\n`);
    for (
      const [args, stdin] of [[["enqueue", '{"command": "true"}'], ""], [
        ["enqueue", "-"],
        lines.join(""),
      ]] as const
    ) {
      const { code, stdout, stderr } = await runProgram(args, { cwd: queue.path, env, stdin });
      assert.deepEqual([code, stdout], [5, ""], stderr);
      assert.match(stderr, /^[^\n]*queuectl\.db cannot grow: the disk is full\n$/);
    }
    queue.touch("go");
    await manager.line(/Worker-1: .*cannot grow: the disk is full; trying again in [\d.]+s$/, 3);
    const states = (await store.list({ limit: 100 })).map(({ id, state, attempts }) =>
      `${id} ${state} ${attempts}`
    );
    assert.deepEqual(states, ["running processing 1", "waiting-1 pending 0", "waiting-2 pending 0"]);

    disk.free();
    await assertRanOnce(queue, store, ["running", "waiting-1", "waiting-2"]);
    assert.equal(
      (await runProgram(["enqueue", '{"id": "later", "command": "true"}'], { cwd: queue.path, env })).code,
      0,
    );
    await manager.line(/job later completed successfully$/);
    assertNoTrace(manager);
    assert.deepEqual(await store.check(), []);
    manager.signal("SIGTERM");
    await manager.closed;
  },
  { on: sqliteAlone, ignore: !canMount },
);

queueTest(
  "resources: where the spool is full commands are not started, and end as they end",
  async (queue) => {
    await using disk = await smallDisk(queue.spool, "64k");
    await queue.enqueue({ id: "running", command: wait, maxRetries: 0 });
    const manager = queue.start("--concurrency", "2");
    await waitFor("the command to run", () => queue.read("ran.running") !== "");
    await disk.fill();
    await queue.enqueue({ id: "waiting", command: `echo printed; ${once}`, maxRetries: 0 });
    await manager.line(/The files for the command's output could not be written; claims nothing for \d+s$/);
    // Its exit status has no place on the disk.
    queue.touch("go");
    await manager.line(/job running completed successfully$/);
    const { state, attempts } = await queue.job("waiting");
    assert.ok(["pending", "processing"].includes(state) && attempts <= 1, state);
    disk.free();
    await assertRanOnce(queue, queue.store, ["running", "waiting"]);
    assert.equal((await queue.store.lastOutput("waiting"))?.output, "printed\n");
    assertNoTrace(manager);
    manager.signal("SIGTERM");
    await manager.closed;
  },
  { ignore: !canMount },
);

queueTest(
  "resources: what a command has printed gives the disk back that its result needs",
  async (queue) => {
    await using disk = await smallDisk(`${queue.path}/disk`, "6m");
    const env = { ...queue.env, QUEUECTL_DB: `${disk.path}/queuectl.db` };
    await using store = await openStore(env.QUEUECTL_DB, { missing: "create", durable: false });
    await store.enqueue([newJob("a", { command: "yes abcdefgh | head -c 20000000", maxRetries: 0 })]);
    const manager = queue.watch(startManager([], queue.path, env));
    await manager.line(/Worker-1: job a (moved to DLQ|completed successfully)$/);
    const output = (await store.lastOutput("a"))?.output ?? "";
    assert.match(output, /^(abcdefgh\n)+a?b?c?d?e?f?g?h?\n\[\.\.\. \d+ bytes left out \.\.\.\]\n/);
    assert.equal((await store.attempts("a")).length, 1);
    assertNoTrace(manager);

    const doctor = () => runProgram(["doctor"], { cwd: queue.path, env });
    assert.match(
      (await doctor()).stdout,
      new RegExp(`^note  The disk ${disk.path} is nearly full: \\d+KiB left; `, "m"),
    );
    await disk.fill();
    const { code, stdout } = await doctor();
    assert.equal(code, 5);
    assert.match(stdout, new RegExp(`^error The disk ${disk.path} is full: 0B left; make room on it`, "m"));
    disk.free();
  },
  { on: sqliteAlone, ignore: !canMount },
);

queueTest(
  "resources: on a full disk jobs can be looked at, ended and removed, again and again, and then there is room",
  async (queue) => {
    await using disk = await smallDisk(`${queue.path}/disk`, "8m");
    const file = `${disk.path}/queuectl.db`;
    const env = { ...queue.env, QUEUECTL_DB: file };
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await runProgram(args, { cwd: queue.path, env });
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
      return stdout;
    };
    const names = ["clean", "cancel", "purge", "rm"];
    {
      await using store = await openStore(file, { missing: "create", durable: false });
      const print = "head -c 400000 /dev/zero";
      await store.enqueue(
        names.map((id) => newJob(id, { command: id === "purge" ? "false" : print, maxRetries: 0 })),
      );
      const manager = queue.watch(startManager([], queue.path, env));
      for (const id of names) await manager.line(new RegExp(`Worker-1: job ${id} (completed|moved)`));
      await store.enqueue([newJob("waiting", { command: "true", delay: 3_600_000 })]);
      await store.setQueue("unused", {});
      await waitFor("the reserve", () => statIfThere(`${file}.reserve`)?.size === 1024 ** 2);
      assert.equal(statIfThere(`${file}.reserve`)!.mode! & 0o777, 0o600);
      manager.signal("SIGTERM");
      await manager.closed;
    }
    const commands = [
      ["list"],
      // The most first: each time somebody takes the room, less of it is kept.
      ["rm", "rm"],
      ["clean"],
      ["cancel", "waiting"],
      ["dlq", "purge", "--all"],
      ["queue", "rm", "unused"],
    ];
    const printed = [];
    for (const command of commands) {
      // What an earlier one has left to the disk too.
      await disk.fill();
      printed.push(await run(...command));
    }
    assert.match(printed[0], /^clean .* completed /m);
    assert.deepEqual(printed.slice(1), [
      "Job rm removed.\n",
      "2 jobs removed.\n",
      "Job waiting cancelled.\n",
      "1 job purged.\n",
      "Queue unused removed.\n",
    ]);
    assert.equal(await run("enqueue", '{"id": "later", "command": "true"}'), "Job later inserted.\n");
    await run("worker", "start", "--drain");
    await using store = await openStore(file, { missing: "empty", durable: false });
    assert.deepEqual((await store.list({ limit: 10 })).map(({ id, state }) => `${id} ${state}`), [
      "waiting cancelled",
      "later completed",
    ]);
    assert.deepEqual(await store.check(), []);
  },
  { on: sqliteAlone, ignore: !canMount },
);

queueTest(
  "resources: on a full disk thousands of jobs are removed, also beside others who have the queue open",
  async (queue) => {
    await using disk = await smallDisk(`${queue.path}/disk`, "16m");
    const file = `${disk.path}/queuectl.db`;
    const ids = Array.from({ length: 20_000 }, (_, number) => `${number % 97}-${number}`);
    for (const isOpen of [false, true]) {
      await using other = isOpen ? await openStore(file, { missing: "empty", durable: false }) : undefined;
      {
        await using store = await openStore(file, { missing: "create", durable: false });
        await store.enqueue(ids.map((id) => newJob(id, { command: "true" })));
        await store.makeReserve();
      }
      await disk.fill();
      const args = ["rm", "--state", "pending", "--json"];
      const { code, stdout, stderr } = await runProgram(args, {
        cwd: queue.path,
        env: { ...queue.env, QUEUECTL_DB: file },
      });
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout).ids, ids);
      if (other) assert.deepEqual(await other.list({ limit: 10 }), []);
      disk.free();
      Deno.removeSync(`${file}.reserve`);
    }
  },
  { on: sqliteAlone, ignore: !canMount },
);

queueTest(
  "resources: kept outputs that fill a disk are removed, also where they are in the log alone",
  async (queue) => {
    await using disk = await smallDisk(`${queue.path}/disk`, "8m");
    const file = `${disk.path}/queuectl.db`;
    await using store = await openStore(file, { missing: "create", durable: false });
    await store.makeReserve();
    const worker = await join(store);
    const output = "x".repeat(900_000);
    for (const id of ["a", "b", "c"]) {
      await store.enqueue([newJob(id, { command: "true" })]);
      const run = await claimOne(store, worker);
      await store.exchange(worker, [finished(run, success, { output })], 0);
    }
    await disk.fill();
    const { code, stdout, stderr } = await runProgram(["clean"], {
      cwd: queue.path,
      env: { ...queue.env, QUEUECTL_DB: file },
    });
    assert.deepEqual([code, stdout], [0, "3 jobs removed.\n"], stderr);
    assert.deepEqual(await store.list({ limit: 10 }), []);
  },
  { on: sqliteAlone, ignore: !canMount },
);

queueTest("resources: a disk without room for the reserve gets a part of it, or none", async (queue) => {
  await using disk = await smallDisk(`${queue.path}/disk`, "512k");
  await using store = await openStore(`${disk.path}/queuectl.db`, { missing: "create", durable: false });
  await store.makeReserve();
  const size = () => statIfThere(`${disk.path}/queuectl.db.reserve`)?.size ?? 0;
  assert.ok(size() > 0 && size() < 512 * 1024, String(size()));
  Deno.removeSync(`${disk.path}/queuectl.db.reserve`);
  await disk.fill();
  await store.makeReserve();
  assert.equal(size(), 0);
}, { on: sqliteAlone, ignore: !canMount });

queueTest(
  "resources: a worker that can record nothing ends some time after it was asked to",
  async (queue) => {
    await queue.enqueue({ id: "a", command: wait, maxRetries: 0 });
    const manager = queue.start();
    await waitFor("the command to run", () => queue.read("ran.a") !== "");
    const worker = await manager.workerPid();
    await limit(worker, "fsize", "none");
    queue.touch("go");
    await manager.line(/Worker-1: .* its files may not grow \(ulimit -f\); trying again in [\d.]+s$/, 2);
    const { code, stdout, stderr } = await queue.run("worker", "stop", "--now");
    assert.deepEqual([code, stdout, stderr], [0, "Stopped 1 worker manager.\n", ""]);
    assert.throws(() => Deno.kill(worker, "SIGCONT"), Deno.errors.NotFound);
    await manager.line(/Worker-1: 1 ended run is not recorded: the next worker of this host does that$/);
    assert.equal((await manager.status).code, 0);
    queue.start();
    await assertRanOnce(queue, queue.store, ["a"]);
  },
  { on: sqliteAlone, ignore: !canLimit },
);

// No more does a client write the files of a server.
queueTest("resources: a file that may not grow refuses a job, and stores nothing", async (queue) => {
  const args = ["enqueue", '{"id": "a", "command": "true"}'];
  // Without the trap the system would end the program.
  const wrapper = shell("trap '' XFSZ; ulimit -f 1");
  const { code, stdout, stderr } = await runWrapped({ wrapper, args, cwd: queue.path, env: queue.env });
  assert.deepEqual([code, stdout], [5, ""], stderr);
  assert.match(stderr, /^[^\n]*queuectl\.db cannot [^\n]*\n$/);
  assert.deepEqual(await queue.store.list({ limit: 10 }), []);
  assert.deepEqual(await queue.store.check(), []);
  assert.equal((await queue.run(...args)).code, 0);
}, { on: sqliteAlone, ignore: posixOnly("limits of ulimit") });

queueTest("resources: workers whose files may not grow wait as at a full disk", async (queue) => {
  const manager = queue.start();
  const worker = await manager.workerPid();
  await manager.line(/Worker-1: started$/);
  await limit(worker, "fsize", "none");
  await queue.enqueue({ id: "a", command: once, maxRetries: 0 });
  await manager.line(/Worker-1: .* its files may not grow \(ulimit -f\); trying again in [\d.]+s$/, 2);
  await limit(worker, "fsize", "enough");
  await assertRanOnce(queue, queue.store, ["a"]);
  assert.equal(await manager.workerPid(), worker);
  assert.deepEqual(manager.lines.filter((line) => /ended with/.test(line)), []);
  assertNoTrace(manager);
}, { on: sqliteAlone, ignore: !canLimit });

queueTest("resources: worker start says how many files it needs, and needs no more", async (queue) => {
  const start = (files: number) =>
    startWrapped({
      wrapper: shell(`ulimit -n ${files}`),
      args: ["--concurrency", "10", "--drain"],
      cwd: queue.path,
      env: queue.env,
    });
  const refused = queue.watch(start(30));
  assert.equal((await refused.status).code, 2);
  await refused.closed;
  const [, needed] = /^Too few files may be open for .*: ulimit -n (\d+)$/.exec(
    refused.lines[0],
  ) ?? [];
  assert.ok(needed, refused.lines.join("\n"));
  assert.equal(refused.lines.length, 1);

  const ids = Array.from({ length: 30 }, (_, number) => `job-${number}`);
  await queue.enqueue(...ids.map((id) => ({ id, command: `${once}; echo printed; sleep 0.2` })));
  const manager = queue.watch(start(Number(needed)));
  assert.equal((await manager.status).code, 0);
  await manager.closed;
  assert.deepEqual(manager.lines.filter((line) => /Too many|claims nothing/.test(line)), []);
  await assertRanOnce(queue, queue.store, ids);
}, { ignore: posixOnly("limits of ulimit") });

queueTest("resources: without files jobs are handed back, and results recorded later", async (queue) => {
  await queue.enqueue({ id: "warm", command: once });
  const manager = queue.start("--concurrency", "2");
  await queue.reaches("warm", "completed");
  const worker = await manager.workerPid();
  await limit(worker, "nofile", "none");
  await queue.enqueue(
    ...["a", "b", "c"].map((id) => ({ id, command: `${once}; echo printed`, maxRetries: 0 })),
  );
  // One is run by the shell that is there, but what it printed cannot be read; for another one there is no shell.
  await manager.line(/No process could be started: .*Too many open files.*; claims nothing for \d+s$/);
  await manager.line(/^queuectl: .*Too many open files.*; trying again every second$/);
  await limit(worker, "nofile", "enough");
  await assertRanOnce(queue, queue.store, ["warm", "a", "b", "c"]);
  for (const id of ["a", "b", "c"]) assert.equal((await queue.store.lastOutput(id))?.output, "printed\n");
  assertNoTrace(manager);
}, { ignore: !canLimit });

queueTest("resources: a manager without files replaces its worker as soon as it can", async (queue) => {
  await queue.enqueue({ id: "a", command: wait, maxRetries: 0 });
  const manager = queue.start();
  await waitFor("the command to run", () => queue.read("ran.a") !== "");
  await limit(manager.pid, "nofile", "none");
  await kill(await manager.workerPid());
  await manager.line(/^Manager: cannot start a worker: .*Too many open files/);
  await limit(manager.pid, "nofile", "enough");
  await manager.line(/adopted job a \(attempt 1\)$/);
  queue.touch("go");
  await assertRanOnce(queue, queue.store, ["a"]);
  assertNoTrace(manager);
}, { ignore: !canLimit });

queueTest("resources: without processes jobs are handed back, and run when there are some", async (queue) => {
  const { wrapper, env } = await giveAway(queue);
  await queue.enqueue({ id: "warm", command: wait });
  const manager = queue.watch(startWrapped({ wrapper, args: [], cwd: queue.path, env }));
  await waitFor("the command to run", () => queue.read("ran.warm") !== "");
  const worker = await manager.workerPid();
  // It takes a thread, without which Deno ends the process.
  if (!queue.store.shared) await waitFor("the worker to be told of changes", () => isWatching(worker));
  queue.touch("go");
  await queue.reaches("warm", "completed");

  // No shell that is there can start a command. One may be looked at before it runs another one: then there is a new one.
  const ids = ["warm"];
  const isRefused = () => manager.lines.some((line) => /could not be written; claims nothing/.test(line));
  while (!isRefused()) {
    for (const runner of await runnersOf(worker)) await limit(runner, "nproc", "none", wrapper);
    const id = `shell-${ids.length}`;
    ids.push(id);
    await queue.enqueue({ id, command: once, maxRetries: 0 });
    await waitFor(
      "the job to run, or to be handed back",
      async () => isRefused() || (await queue.job(id)).state === "completed",
      () => manager.lines,
    );
  }
  await assertRanOnce(queue, queue.store, ids);

  // Nor can the worker start a shell.
  for (const runner of await runnersOf(worker)) await limit(runner, "nproc", "none", wrapper);
  await limit(worker, "nproc", "none", wrapper);
  const none = ["a", "b"];
  await queue.enqueue(...none.map((id) => ({ id, command: once, maxRetries: 0 })));
  await manager.line(
    /No process could be started: .*Resource temporarily unavailable.*; claims nothing for \d+s$/,
  );
  assert.deepEqual(none.map((id) => queue.read(`ran.${id}`)), ["", ""]);
  await limit(worker, "nproc", "enough", wrapper);
  await assertRanOnce(queue, queue.store, [...ids, ...none]);
  assertNoTrace(manager);
}, { ignore: !canLimitProcesses });

/** The shells of a worker that run its commands; each has its mark. */
async function runnersOf(worker: number): Promise<number[]> {
  const script =
    'for pid in $(pgrep -P "$1"); do tr "\\0" "\\n" <"/proc/$pid/environ" | grep -q "^QUEUECTL_RUNNER=" && echo "$pid"; done';
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script, "sh", String(worker)] })
    .output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number);
}

/** Whether a process lets the system tell it of changes of files. */
async function isWatching(pid: number): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `ls -l /proc/${pid}/fd | grep -q inotify`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}
