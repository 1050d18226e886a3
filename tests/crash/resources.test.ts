/**
 * Real shortages: no disk, no files, no processes. What runs is not lost, what waits is not burnt, and all goes on when
 * there is enough again.
 *
 * Short memory is in memory.test.ts.
 */

import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { type Manager, startManager } from "../helpers/manager.ts";
import { runProgram } from "../helpers/program.ts";
import { type Queue, queueTest, untilFile } from "../helpers/queue_test.ts";
import { canLimit, canLimitProcesses, canMount, giveAway, limit, smallDisk } from "../helpers/resources.ts";
import { runWrapped, shell, startWrapped } from "../helpers/wrapped_program.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";

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
}, { on: sqliteAlone });

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
  const manager = queue.watch(startWrapped({ wrapper, args: ["--concurrency", "2"], cwd: queue.path, env }));
  await waitFor("the command to run", () => queue.read("ran.warm") !== "");
  const [, runner] = queue.readSpooled("1.1.status").split(" ").map(Number);
  queue.touch("go");
  await queue.reaches("warm", "completed");
  const worker = await manager.workerPid();

  // It takes a thread, without which Deno ends the process.
  if (!queue.store.shared) await waitFor("the worker to be told of changes", () => isWatching(worker));

  // Neither the worker can start a shell nor can the shell that is there start a command.
  await limit(worker, "nproc", "none", wrapper);
  await limit(runner, "nproc", "none", wrapper);
  const ids = ["a", "b"];
  await queue.enqueue(...ids.map((id) => ({ id, command: once, maxRetries: 0 })));
  await manager.line(
    /No process could be started: .*Resource temporarily unavailable.*; claims nothing for \d+s$/,
  );
  await waitFor(
    "a job whose shell could not start it to be handed back",
    () => manager.lines.some((line) => /could not be written; claims nothing/.test(line)),
    () => manager.lines,
  );
  assert.deepEqual(ids.map((id) => queue.read(`ran.${id}`)), ["", ""]);
  await limit(worker, "nproc", "enough", wrapper);
  await assertRanOnce(queue, queue.store, ["warm", ...ids]);
  assertNoTrace(manager);
}, { ignore: !canLimitProcesses });

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
