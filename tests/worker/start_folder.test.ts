/** The folder in which programs are started: it may be removed while they run, and its name may be no UTF-8. */

import assert from "node:assert/strict";
import { postgresAlone, sqliteAlone } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { startManager } from "../helpers/manager.ts";
import { runProgram } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { runWrapped, shell, startWrapped } from "../helpers/wrapped_program.ts";

/** Starts workers in a folder of their own, from which the database of a file is named; removes it once they are there. */
async function startInRemovedFolder(queue: Queue, folder: string) {
  Deno.mkdirSync(folder);
  const env = queue.store.shared ? queue.env : { ...queue.env, QUEUECTL_DB: "../queuectl.db" };
  const manager = queue.watch(startManager([], folder, env));
  await queue.enqueue({ id: "first", command: "pwd" });
  await queue.reaches("first", "completed");
  assert.equal((await queue.store.lastOutput("first"))?.output, `${folder}\n`);
  Deno.removeSync(folder);
  return manager;
}

queueTest("where the folder of a worker is removed, only jobs fail that run in it", async (queue) => {
  const folder = `${queue.path}/it's here`;
  const manager = await startInRemovedFolder(queue, folder);
  // Another worker is started, and it starts a shell.
  await kill(await manager.workerPid());
  await queue.enqueue(
    { id: "own", command: "pwd", cwd: queue.path, maxRetries: 0 },
    { id: "none", command: "touch was-here", maxRetries: 0 },
  );
  await queue.reaches("own", "completed");
  assert.equal((await queue.store.lastOutput("own"))?.output, `${queue.path}\n`);
  const { lastError } = await queue.reaches("none", "dead");
  assert.equal(lastError, `Cannot run in ${folder}: the folder does not exist`);
  assert.deepEqual(await queue.outcomes("none"), [["spawn_failed", null]]);

  Deno.mkdirSync(folder);
  await queue.enqueue({ id: "again", command: "pwd", maxRetries: 0 });
  await queue.reaches("again", "completed");
  assert.equal((await queue.store.lastOutput("again"))?.output, `${folder}\n`);
}, { ignore: posixOnly("a folder in which a process is cannot be removed") });

queueTest("worker stop waits on although its folder is removed", async (queue) => {
  const folder = `${queue.path}/stop`;
  Deno.mkdirSync(folder);
  const manager = queue.start();
  await queue.enqueue({ id: "a", command: "sleep 99" });
  await queue.reaches("a", "processing");
  // Long enough for a second look at the processes of this host.
  const stop = runProgram(["worker", "stop", "--grace", "2s"], { cwd: folder, env: queue.env });
  await manager.line(/Worker-1: stopping gracefully$/);
  Deno.removeSync(folder);
  assert.deepEqual(await stop, { code: 0, stdout: "Stopped 1 worker manager.\n", stderr: "" });
}, { ignore: posixOnly("a folder in which a process is cannot be removed") });

queueTest("a later worker finds files that are named from the folder of the first", async (queue) => {
  const folder = `${queue.path}/start`;
  Deno.mkdirSync(folder);
  Deno.writeTextFileSync(`${folder}/services`, "[own]\nconnect_timeout=10\n");
  const url = `${queue.env.QUEUECTL_DB}&service=own`;
  const env = { ...queue.env, QUEUECTL_DB: url, PGSERVICEFILE: "services" };
  const manager = queue.watch(startManager([], folder, env));
  await queue.enqueue({ id: "a", command: "pwd" });
  await queue.reaches("a", "completed");
  await kill(await manager.workerPid());
  await queue.enqueue({ id: "b", command: "pwd" });
  await queue.reaches("b", "completed");
  assert.equal((await queue.store.lastOutput("b"))?.output, `${folder}\n`);
}, { on: postgresAlone, ignore: posixOnly("a folder in which a process is cannot be removed") });

/** Goes into a folder whose name is not UTF-8. */
const intoUnnamed = shell('mkdir -p "$(printf "caf\\351")"; cd "$(printf "caf\\351")"');

queueTest("a current folder whose name is not UTF-8 is one, or is told in one line", async (queue) => {
  const run = (...args: string[]) =>
    runWrapped({ wrapper: intoUnnamed, args, cwd: queue.path, env: queue.env });
  for (const args of [["list"], ["enqueue", '{"id": "plain", "command": "touch ran"}']]) {
    const { code, stderr } = await run(...args);
    assert.deepEqual([code, stderr], [0, ""]);
  }
  const lines: Array<[args: string[], advice: string]> = [
    [["enqueue", "pwd"], "say with --cwd where to run"],
    [["run", "--", "pwd"], "say with --cwd where to run"],
    [["enqueue", "--cwd", "sub", "pwd"], 'give the whole path of "sub"'],
    [["list", "--db", "other.db"], 'give the whole path of "other.db"'],
  ];
  for (const [args, advice] of lines) {
    assert.deepEqual(await run(...args), {
      code: 2,
      stdout: "",
      stderr: `The current folder has a name that is not valid UTF-8; ${advice}\n`,
    });
  }
  const manager = queue.watch(
    startWrapped({ wrapper: intoUnnamed, args: ["--drain"], cwd: queue.path, env: queue.env }),
  );
  assert.equal((await manager.status).code, 0);
  const { stdout } = await runWrapped({
    wrapper: ["/bin/sh", "-c", 'ls "$(printf "caf\\351")"'],
    args: [],
    cwd: queue.path,
    env: {},
  });
  assert.equal(stdout, "ran\n");
}, {
  on: sqliteAlone,
  ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: names that are not UTF-8"),
});

queueTest("the name of a database that is not UTF-8 is refused, and none is made", async (queue) => {
  const before = [...Deno.readDirSync(queue.path)].length;
  const flag = shell('set -- "$@" --db "$(printf "caf\\351.db")"');
  const variable = shell('export QUEUECTL_DB="$(printf "caf\\351.db")"');
  // The runtime of an executable ends at arguments that are not UTF-8 before the program begins.
  const wrappers = Deno.env.has("QUEUECTL_TEST_PROGRAM") ? [variable] : [flag, variable];
  for (const wrapper of wrappers) {
    const { code, stdout, stderr } = await runWrapped({
      wrapper,
      args: ["enqueue", '{"command": "true"}'],
      cwd: queue.path,
      env: queue.env,
    });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^The name of a database [^\n]*must be valid UTF-8[^\n]*\n$/);
  }
  assert.equal([...Deno.readDirSync(queue.path)].length, before);
}, { on: sqliteAlone, ignore: posixOnly("names that are not UTF-8") });
