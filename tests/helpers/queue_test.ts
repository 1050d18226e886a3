/** Tests of the real program on a queue of their own, that leave no process and no file behind. */

import assert from "node:assert/strict";
import { readIfThere, statIfThere } from "../../src/base/files.ts";
import type { Attempt, Job, NewJob } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { jobById, newJob } from "../store/suite/harness.ts";
import { driversFor, driverTest } from "./driver_test.ts";
import { type Driver, drivers, type Place } from "./drivers.ts";
import { describeProcesses, killAllWith, processesWith } from "./host_processes.ts";
import { type Manager, startManager } from "./manager.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import { environment, spoolIn } from "./program_test.ts";
import { isWindows } from "./shell_commands.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { waitFor } from "./wait_for.ts";

/** A queue with a folder of its own, which is also the working folder of its commands. */
export interface Queue {
  readonly path: string;
  readonly place: Place;
  readonly store: Store;
  /** A place for another queue of the same kind. */
  newPlace(): Place & AsyncDisposable;
  /** The folder in which its running commands leave their output. */
  readonly spool: string;
  /** The environment in which its programs run. */
  readonly env: Record<string, string>;
  /** Adds jobs that are retried at once. */
  enqueue(...jobs: Array<Partial<NewJob> & { id: string; command: string }>): Promise<unknown>;
  /** Starts `worker start`; it is stopped when the test has not done so. */
  start(...args: string[]): Manager;
  /** Stops a manager as a user does, gracefully, without waiting for its end. On Windows it reaches all managers. */
  stop(manager: Manager): Promise<void>;
  /** Adds a manager that was started otherwise. */
  watch(manager: Manager): Manager;
  run(...args: string[]): Promise<ProgramResult>;
  job(id: string): Promise<Job>;
  /** Waits until a job is in that state. */
  reaches(id: string, state: Job["state"]): Promise<Job>;
  /** The runs of a job that have ended, as `[outcome, exit code]`. */
  outcomes(id: string): Promise<Array<[Attempt["outcome"], number | null]>>;
  /** Makes an empty file: what commands wait for. */
  touch(name: string): void;
  /** The text of a file, with ends of lines as POSIX systems have them; empty when there is none. */
  read(name: string): string;
  /** The files of runs in the spool, and the text of one; empty when there is none. */
  spooled(): string[];
  readSpooled(name: string): string;
}

/** Registers a test that gets a queue, once for each driver. */
export function queueTest(
  name: string,
  body: (queue: Queue) => Promise<void>,
  options: { ignore?: boolean; on?: readonly Driver[] } = {},
): void {
  for (const driver of driversFor(options.on ?? drivers)) {
    driverTest(driver, name, () => runOn(driver, body), { ignore: options.ignore });
  }
}

async function runOn(driver: Driver, body: (queue: Queue) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await using place = driver.place(folder.path);
  const managers: Manager[] = [];
  await using store = await openStore(place.url, { missing: "create", durable: false });
  const queue = queueIn(folder.path, driver, place, store, managers);
  try {
    await body(queue);
    await stopAll(queue, managers);
    await assertNothingRuns(folder.path);
  } catch (error) {
    for (const manager of managers) manager.signal("SIGKILL");
    await killAllWith(folder.path);
    const said = managers.map((manager, index) =>
      [`manager ${index + 1} said:`, ...manager.lines].join("\n  ")
    );
    if (error instanceof Error) error.message += `\n${said.join("\n")}`;
    throw error;
  } finally {
    for (const manager of managers) await Promise.all([manager.status, manager.closed]);
    if (statIfThere(queue.spool)) await Deno.remove(queue.spool, { recursive: true });
  }
}

function queueIn(path: string, driver: Driver, place: Place, opened: Store, managers: Manager[]): Queue {
  const env = environment(path, place.url);
  const spool = spoolIn(env, opened.spool);
  const store = { ...opened, spool };
  const watch = (manager: Manager) => {
    managers.push(manager);
    return manager;
  };
  const spooled = () => {
    try {
      return [...Deno.readDirSync(spool)].map((entry) => entry.name).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  };
  return {
    path,
    place,
    newPlace: () => driver.place(path, "new.db"),
    store,
    spool,
    env,
    enqueue: (...jobs) => store.enqueue(jobs.map((job) => newJob(job.id, { baseBackoff: 0, ...job }))),
    start: (...args) => watch(startManager(args, path, env)),
    async stop(manager) {
      // There a signal ends a process at once.
      if (isWindows) await runProgram(["worker", "stop"], { cwd: path, env });
      else manager.signal("SIGTERM");
    },
    watch,
    run: (...args) => runProgram(args, { cwd: path, env }),
    job: (id) => jobById(store, id),
    reaches: (id, state) =>
      waitFor(`job ${id} in state ${state}`, async () => {
        const job = await jobById(store, id);
        return job.state === state && job;
      }, async () => ({ job: await jobById(store, id), attempts: await store.attempts(id) })),
    outcomes: async (id) => (await store.attempts(id)).map(({ outcome, exitCode }) => [outcome, exitCode]),
    touch: (name) => Deno.writeTextFileSync(`${path}/${name}`, ""),
    read: (name) => (readIfThere(`${path}/${name}`) ?? "").replaceAll("\r\n", "\n"),
    spooled,
    readSpooled: (name) => readIfThere(`${spool}/${name}`) ?? "",
  };
}

/** Stops managers as a user would who is in a hurry, those that have not ended already. */
async function stopAll(queue: Queue, managers: readonly Manager[]): Promise<void> {
  if (isWindows) {
    if (managers.length > 0) await queue.run("worker", "stop", "--now");
    // What is left are programs of another kind, as those that follow jobs.
    for (const manager of managers) manager.signal("SIGKILL");
    await Promise.all(managers.flatMap(({ status, closed }) => [status, closed]));
    return;
  }
  for (const manager of managers) await stop(manager);
}

async function stop(manager: Manager): Promise<void> {
  // Repeated, because signals that come at the same moment are one.
  const timer = setInterval(() => manager.signal("SIGTERM"), 100);
  manager.signal("SIGTERM");
  await manager.status;
  clearInterval(timer);
  await manager.closed;
}

async function assertNothingRuns(path: string): Promise<void> {
  await waitFor(
    "the end of every process of this test",
    async () => (await processesWith(path)).length === 0,
    async () => describeProcesses(await processesWith(path)),
  );
  assert.deepEqual(await processesWith(path), []);
}
