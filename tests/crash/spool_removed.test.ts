/** Somebody removes the spool: it is made again, no run is begun twice that may have begun, and each counts. */

import assert from "node:assert/strict";
import { statIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import { readStatus, runFiles } from "../../src/worker/spool/spool.ts";
import { postgresAlone, sqliteAlone } from "../helpers/drivers.ts";
import { kill, untilNoneWith } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { startManager } from "../helpers/manager.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";

queueTest("the spool is made again where it is gone when a job is to be run", async (queue) => {
  const manager = queue.start();
  await manager.line(/Worker-1: started$/);
  await Deno.remove(queue.spool);
  await queue.enqueue({ id: "a", command: "echo fine" });
  await queue.reaches("a", "completed");
  assert.deepEqual(await queue.outcomes("a"), [["exited", 0]]);
  assert.equal((await queue.store.lastOutput("a"))?.output.trim(), "fine");
  assert.deepEqual(manager.lines.filter((line) => /claims nothing/.test(line)), []);
});

const removable = { ignore: posixOnly("a folder that is removed while files in it are open") };

/** Starts a manager and a job that waits for the file `go`, and removes the spool while it runs. */
async function runWithoutSpool(queue: Queue, maxRetries = 0) {
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), untilFile("go"), "exit 1"), maxRetries });
  const manager = queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  return manager;
}

queueTest("a run whose files are removed while it runs ends as it ends, and counts", async (queue) => {
  await runWithoutSpool(queue);
  await Deno.remove(queue.spool, { recursive: true });
  // Made again by its worker.
  await waitFor("the status file", () => readStatus(runFiles(queue.spool, 1, 1)));
  queue.touch("go");
  await queue.reaches("a", "dead");
  assert.deepEqual([await queue.outcomes("a"), queue.read("ran")], [[["exited", 1]], "ran\n"]);
}, removable);

queueTest("one whose files are removed can be ended, and adopted, as any other", async (queue) => {
  const first = await runWithoutSpool(queue);
  const files = runFiles(queue.spool, 1, 1);
  const status = await waitFor("the status file", () => readStatus(files));
  await Deno.remove(queue.spool, { recursive: true });
  await waitFor("the status file once more", () => readStatus(files));
  assert.deepEqual(readStatus(files), status);
  await kill(first.pid);
  await kill(await first.workerPid());
  const second = queue.start();
  await second.line(/adopted job a \(attempt 1\)$/);
  await Deno.remove(queue.spool, { recursive: true });
  await queue.run("cancel", "a");
  await queue.reaches("a", "cancelled");
  assert.equal(queue.read("ran"), "ran\n");
  await untilNoneWith(`${queue.path}/go`);
}, removable);

queueTest("what may have run when its files were removed, and nobody saw its end, is lost", async (queue) => {
  const first = await runWithoutSpool(queue, 1);
  await kill(first.pid);
  await kill(await first.workerPid());
  await Deno.remove(queue.spool, { recursive: true });
  queue.touch("go");
  await untilNoneWith(queue.path);
  queue.start("--drain");
  await queue.reaches("a", "dead");
  assert.deepEqual([await queue.outcomes("a"), queue.read("ran")], [
    [["lost", null], ["exited", 1]],
    "ran\nran\n",
  ]);
}, removable);

const byMarks = { ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: marks of processes") };

queueTest("what runs without its worker and its files is adopted, and ends as it ends", async (queue) => {
  const first = await runWithoutSpool(queue);
  await kill(first.pid);
  await kill(await first.workerPid());
  await Deno.remove(queue.spool, { recursive: true });
  const second = queue.start("--drain");
  await second.line(/adopted job a \(attempt 1\)$/);
  queue.touch("go");
  await queue.reaches("a", "dead");
  assert.deepEqual([await queue.outcomes("a"), queue.read("ran")], [[["exited", 1]], "ran\n"]);
}, byMarks);

queueTest("what shows no mark, because its shell starts nothing, is ended, and counts", async (queue) => {
  // Whoever opens a named pipe waits for another one to do so.
  const command = "echo ran >>ran; [ -e go ] || { mkfifo pipe; read -r line <pipe; }; exit 1";
  await queue.enqueue({ id: "a", command, maxRetries: 1 });
  const first = queue.start();
  await waitFor("the command to wait", () => statIfThere(`${queue.path}/pipe`));
  await kill(first.pid);
  await kill(await first.workerPid());
  await Deno.remove(queue.spool, { recursive: true });
  queue.touch("go");
  queue.start("--drain");
  await queue.reaches("a", "dead");
  assert.deepEqual([await queue.outcomes("a"), queue.read("ran")], [
    [["signaled", 143], ["exited", 1]],
    "ran\nran\n",
  ]);
}, byMarks);

/** A job that writes when it starts and when it ends; all of queuectl was killed while it runs. */
async function startAndKill(queue: Queue, url: string, env: Record<string, string>): Promise<void> {
  await using store = await openStore(url, { missing: "create", durable: false });
  const command = steps(note("start", "ran"), untilFile("go"), note("end", "ran"));
  await store.enqueue([newJob("a", { command, cwd: queue.path, maxRetries: 1, baseBackoff: 0 })]);
  const first = queue.watch(startManager(["--db", url], queue.path, env));
  await waitFor("the command to run", () => queue.read("ran") !== "");
  await kill(first.pid);
  await kill(await first.workerPid());
}

/** The run that is found is watched to its end, of which nobody hears, and only then there is another one. */
async function assertNeverTwiceAtOnce(queue: Queue, url: string, env: Record<string, string>): Promise<void> {
  const second = queue.watch(startManager(["--db", url, "--drain"], queue.path, env));
  await second.line(/adopted job a \(attempt 1\)$/);
  queue.touch("go");
  assert.equal((await second.status).code, 0);
  assert.equal(queue.read("ran"), "start\nend\nstart\nend\n");
}

queueTest("a database with another name, without its spool, finds what it runs", async (queue) => {
  const [before, after] = [`${queue.path}/before.db`, `${queue.path}/after.db`];
  await startAndKill(queue, before, queue.env);
  for (const suffix of ["", "-wal", "-shm"]) {
    if (statIfThere(before + suffix)) await Deno.rename(before + suffix, after + suffix);
  }
  await assertNeverTwiceAtOnce(queue, after, queue.env);
}, { ...byMarks, on: sqliteAlone });

queueTest("a spool that is looked for in another folder does not hide what runs", async (queue) => {
  await startAndKill(queue, queue.place.url, queue.env);
  await assertNeverTwiceAtOnce(queue, queue.place.url, {
    ...queue.env,
    XDG_STATE_HOME: `${queue.path}/other`,
  });
}, { ...byMarks, on: postgresAlone });
