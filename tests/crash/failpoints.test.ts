/**
 * The program kills itself, once, at every place that src/base/failpoint.ts names. Afterwards work goes on without help, and
 * every command has run exactly once.
 */

import assert from "node:assert/strict";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { problemsIn, untilEnded } from "../helpers/queue_problems.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { isRunning, kill } from "../helpers/host_processes.ts";
import { type Manager, startManager } from "../helpers/manager.ts";
import { runProgram } from "../helpers/program.ts";
import { makePythonDatabase, pythonRows } from "../helpers/python_database.ts";
import { posixOnly, sourceOnly } from "../helpers/left_out.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { isWindows, note, printed, steps, untilFile } from "../helpers/shell_commands.ts";
import { assertSound, queryFile } from "../helpers/sqlite_database.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { assertCounted } from "../store/suite/harness.ts";

const options = () => ({ ignore: sourceOnly("failpoints") });

const ids = ["a", "b", "c", "d", "e"];
const command = (id: string, work = "true") =>
  steps(note("ran", `ran.${id}`), "echo begun", work, "echo done");
const jobs = (work?: string) => ids.map((id) => ({ id, command: command(id, work) }));

/** The environment in which the program kills itself at this place. */
const killedAt = (queue: Queue, place: Failpoint) => ({
  ...queue.env,
  QUEUECTL_FAILPOINT: `${place}=${queue.path}/passed.${place}`,
});

const wasKilledAt = (queue: Queue, place: Failpoint) =>
  [...Deno.readDirSync(queue.path)].some(({ name }) => name === `passed.${place}`);

function startKilledAt(queue: Queue, place: Failpoint, ...args: string[]): Manager {
  const env = killedAt(queue, place);
  return queue.watch(startManager(["--concurrency", "2", ...args], queue.path, env));
}

const replaced = isWindows
  ? /^Manager: worker pid=\d+ ended with /
  : /^Manager: worker pid=\d+ ended with SIGKILL$/;
/** The exit status of a program that was ended so. */
const killed = isWindows ? 1 : 137;

/** Waits for the end of a drain: every job was done once, and nothing is left. */
async function assertDone(queue: Queue, manager: Manager, last: Failpoint): Promise<void> {
  const code = await untilEnded(manager);
  assert.ok(wasKilledAt(queue, last), `the place ${last} was not passed`);
  assert.equal(manager.lines.filter((line) => replaced.test(line)).length, 1, "the worker is replaced once");
  await manager.closed;
  for (const id of ids) {
    const { state, attempts } = await queue.job(id);
    const runs = await queue.store.attempts(id);
    const results = runs.filter(({ outcome }) => outcome !== "handed_back");
    assert.deepEqual(
      [state, attempts, queue.read(`ran.${id}`), results.map(({ exitCode, output }) => [exitCode, output])],
      ["completed", 1, "ran\n", [[0, printed("begun", "done")]]],
      `job ${id}: ${JSON.stringify(runs)}`,
    );
  }
  assert.equal(code, 0);
  await assertCounted(queue.store);
  assert.deepEqual(await problemsIn(queue), []);
}

for (const place of ["claimed", "started", "ended", "recording", "recorded"] as const) {
  queueTest(`a worker is killed at "${place}": its manager goes on`, async (queue) => {
    await queue.enqueue(...jobs());
    await assertDone(queue, startKilledAt(queue, place, "--drain"), place);
  }, options());
}

const stopping = () => ({ ignore: sourceOnly("failpoints") || posixOnly("stopped processes") });

/** Leaves jobs behind whose worker was killed at this place, together with its manager. */
async function leaveBehind(queue: Queue, place: Failpoint, work?: string): Promise<void> {
  const manager = startKilledAt(queue, place);
  await manager.line(/Worker-1: started$/);
  const worker = await manager.workerPid();
  // Before there is anything to do: it must not replace its worker.
  manager.signal("SIGSTOP");
  await queue.enqueue(...jobs(work));
  await waitFor(
    `the worker to be killed at ${place}`,
    async () => wasKilledAt(queue, place) && !await isRunning(worker),
  );
  await kill(manager.pid);
}

/** Waits until every command that was started has left its exit status. */
async function startedHaveEnded(queue: Queue): Promise<void> {
  await waitFor("the end of what was started", () => {
    const texts = queue.spooled().filter((name) => name.endsWith(".status")).map((name) =>
      queue.readSpooled(name)
    );
    return texts.length > 0 && texts.every((text) => /\nexit \d+\n$/.test(text));
  });
}

for (
  const [first, second] of [
    ["claimed", "taken-over"],
    ["claimed", "recovered"],
    ["started", "recovered"],
    ["ended", "taken-over"],
    ["recording", "recovered"],
  ] as const
) {
  queueTest(`all are killed at "${first}", and whoever takes over at "${second}"`, async (queue) => {
    await leaveBehind(queue, first);
    if (first === "started") await startedHaveEnded(queue);
    await assertDone(queue, startKilledAt(queue, second, "--drain"), second);
  }, stopping());
}

queueTest('all are killed at "started", whoever takes over too, and commands go on', async (queue) => {
  await leaveBehind(queue, "started", untilFile("go"));
  await waitFor("a command to run", () => ids.some((id) => queue.read(`ran.${id}`) !== ""));
  const manager = startKilledAt(queue, "taken-over", "--drain");
  await manager.line(/Worker-1: adopted job /);
  queue.touch("go");
  await assertDone(queue, manager, "taken-over");
}, stopping());

queueTest('`enqueue` is killed at "enqueue": all of a batch is there or nothing', async (queue) => {
  const stdin = jobs().map((job) => JSON.stringify(job)).join("\n");
  const env = killedAt(queue, "enqueue");
  const enqueue = () => runProgram(["enqueue", "-"], { cwd: queue.path, env, stdin });
  const first = await enqueue();
  assert.ok(wasKilledAt(queue, "enqueue"));
  assert.deepEqual([first.code, first.stdout], [killed, ""]);
  assert.deepEqual(await queue.store.list({ limit: 10 }), []);
  const second = await enqueue();
  assert.deepEqual([second.code, second.stdout, second.stderr], [0, "5 jobs inserted.\n", ""]);
  // The same batch once more changes nothing.
  assert.notEqual((await enqueue()).code, 0);
  await assertDone(queue, startKilledAt(queue, "claimed", "--drain"), "claimed");
}, options());

queueTest('whoever makes the database is killed at "migration": the next one makes it', async (queue) => {
  await using place = queue.newPlace();
  const env = { ...killedAt(queue, "migration"), QUEUECTL_DB: place.url };
  const run = (...args: string[]) => runProgram(args, { cwd: queue.path, env });
  const enqueue = () => run("enqueue", JSON.stringify({ id: "a", command: command("a") }));
  const first = await enqueue();
  assert.ok(wasKilledAt(queue, "migration"));
  assert.deepEqual([first.code, first.stdout], [killed, ""]);
  assert.deepEqual(await place.tables(), []);
  const second = await enqueue();
  assert.deepEqual(
    [second.code, second.stdout, second.stderr],
    [0, "Job a inserted.\n", "Database schema initialized successfully.\n"],
  );
  assert.equal((await run("worker", "start", "--drain")).code, 0);
  assert.equal(queue.read("ran.a"), "ran\n");
  await place.assertSound();
  assert.equal((await run("doctor")).code, 0);
}, options());

// The Python program has SQLite files only.
queueTest('whoever takes over a Python database is killed at "migration": it is as it was', async (queue) => {
  const file = `${queue.path}/new.db`;
  makePythonDatabase(file);
  const before = queryFile(file, "SELECT * FROM jobs");
  const env = { ...killedAt(queue, "migration"), QUEUECTL_DB: file };
  const list = () => runProgram(["list", "--json"], { cwd: queue.path, env });
  assert.equal((await list()).code, killed);
  assert.ok(wasKilledAt(queue, "migration"));
  assert.deepEqual(queryFile(file, "SELECT * FROM jobs"), before);
  const { code, stdout, stderr } = await list();
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).length, pythonRows.length);
  assert.match(stderr, /^Took over \d+ jobs of the Python program/);
  assertSound(file);
  assert.deepEqual(queryFile(`${file}.python-backup`, "SELECT * FROM jobs"), before);
  const copies = [...Deno.readDirSync(queue.path)].map(({ name }) => name).filter((name) =>
    /copy/.test(name)
  );
  assert.deepEqual(copies, []);
}, { ...options(), on: sqliteAlone });
