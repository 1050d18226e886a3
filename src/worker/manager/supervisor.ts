/**
 * The manager: starts workers, replaces those that die, ends when it is asked to or when the queue is drained. It holds
 * no state that matters: when it is killed, its workers finish what they run, and commands need neither.
 */

import { type Allowances, configFrom } from "../../job/settings.ts";
import { didYouMean } from "../../base/nearest.ts";
import { openStore } from "../../store/open.ts";
import { noLongerInPlace } from "../../store/errors.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { isDrained } from "./drain.ts";
import { refuseFewFiles } from "../host/file_limit.ts";
import { startHeartbeat } from "../lease/heartbeat.ts";
import { flushLog, print, printMessage } from "../host/log.ts";
import { diskOf, identifyAtStart } from "../host/processes.ts";
import { giveUpNetwork } from "../host/program.ts";
import { onStopSignal, surviveFileSizeLimit } from "../host/signals.ts";
import { makeSpool } from "../spool/spool.ts";
import { folderToStartIn, leaveStartFolder, startFolder } from "../host/start_folder.ts";
import { untilPossible } from "../host/until_possible.ts";
import { stoppedStatus, type WorkerAssignment } from "../host/worker_arguments.ts";
import { assign, dismiss, type EarlyWorker, passOn, spawnWorker, tellToStop } from "./worker_process.ts";

/** What `worker start` is told. */
export interface StartOptions {
  url: string;
  count: number;
  concurrency: number;
  /** The queues whose jobs they take; null for all. */
  queues: readonly string[] | null;
  drain: boolean;
  allowed: Allowances;
  /** Give commands the database with its password. */
  passDatabase: boolean;
}

/** Milliseconds between two looks for a stop request. */
const pollInterval = 100;
/** Milliseconds for which one that was stopped tries to reach the store, to leave it; the same when it was told again. */
const [leaveGrace, hurriedGrace] = [2000, 500];
/** Bytes of a disk that have to be left for a part of them to be kept. */
const roomForReserve = 4 * 1024 ** 2;
/** A worker that has lived this long, in milliseconds, did not die of its start. */
const healthyAfter = 10_000;

/** Runs workers until they are stopped or the queue is drained. Resolves to the exit status. */
export async function startWorkers(options: StartOptions): Promise<number> {
  const { count, concurrency, queues, drain } = options;
  refuseFewFiles(options);
  const folder = startFolder();
  // Their runtimes start while this one gets ready; none does anything before it has its assignment.
  const workers = Array.from({ length: count }, (_, index): EarlyWorker => {
    const args = { number: index + 1, concurrency, queues, drain, replacement: false };
    return { args, child: spawnWorker(args, options.allowed), isAssigned: false };
  });
  try {
    return await manage(options, folder, workers);
  } catch (error) {
    await Promise.all(workers.map(dismiss));
    throw error;
  } finally {
    await flushLog();
  }
}

async function manage(
  options: StartOptions,
  folder: string | null,
  workers: readonly EarlyWorker[],
): Promise<number> {
  const { count: number, concurrency, queues, drain } = options;
  // The database is opened while another process tells who this one is.
  const [{ identity, ignoresHangUp: ignoreHangUp }, opened] = await Promise.all([
    untilPossible(identifyAtStart),
    openStore(options.url, {
      missing: "create",
      durable: false,
      ...options.allowed,
      notify: printMessage,
    }),
  ]);
  await using store = opened;
  leaveStartFolder(folder);
  // The first look tells which file is to stay there.
  store.isInPlace();
  if (!store.shared) giveUpNetwork();
  // Where it cannot be used, no worker could begin.
  makeSpool(store.spool, options.allowed.allowShared);
  if (queues !== null) await tellMissing(store, queues);
  print([`Manager: starting ${number} workers (pid ${Deno.pid})`]);
  const deathsBefore = await deathsOf(store, queues);
  const register = async (id?: number) => {
    const { lease } = configFrom(await store.settings());
    return await store.register({
      id,
      role: "manager",
      manager: null,
      number,
      concurrency,
      queues,
      identity,
      lease,
    });
  };
  const id = await register();

  const stopping = new AbortController();
  const children = new Map<number, Deno.ChildProcess>();
  const announceStop = () => {
    if (!stopping.signal.aborted) print(["Manager: stopping workers..."]);
    stopping.abort();
  };
  let stops = 0;
  const stop = (count = 1) => {
    stops = count;
    announceStop();
    for (const child of children.values()) void tellToStop(child);
  };
  const endListening = onStopSignal(stop, ignoreHangUp);
  // Not before: with any listener of Deno's, HUP would not be ignored any more, here and in what is started.
  surviveFileSizeLimit();
  if (!store.shared) void keepRoom(store);
  const endWatching = watchStore(store, id, register, announceStop, stop);

  const { passDatabase } = options;
  const assignment = { manager: id, database: store.url, passDatabase, ignoreHangUp, folder };
  await Promise.all(
    workers.map((worker) =>
      keepWorker(worker, assignment, store, options.allowed, children, stopping.signal)
    ),
  );

  endListening();
  // Nothing is left to do but to leave.
  if (stopping.signal.aborted) store.hasten(stops > 1 ? hurriedGrace : leaveGrace);
  // A beat underway would announce the manager once more after it has left.
  await endWatching();
  const status = drain ? await drainStatus(store, queues, deathsBefore) : 0;
  await store.leave(id);
  if (!store.isInPlace()) throw noLongerInPlace(store.location);
  print(["Manager: stopped"]);
  return status;
}

/** Has room kept for removing jobs, where the disk has enough of it now. */
async function keepRoom(store: Store): Promise<void> {
  try {
    const disk = await diskOf(store.location);
    if (disk === null || disk.free >= roomForReserve) await store.makeReserve();
  } catch (error) {
    // Nothing else waits for it, and the next manager tries again.
    if (!(error instanceof Error)) throw error;
  }
}

/** Says which queues are not there yet: a name may be mistyped. */
async function tellMissing(store: Store, queues: readonly string[]): Promise<void> {
  const known = await store.queueNames();
  for (const queue of queues) {
    if (known.includes(queue)) continue;
    printMessage(`There is no queue "${queue}" yet${didYouMean(queue, known)}; its first job will create it`);
  }
}

/** Gives a worker its work, and another one whenever it dies, until it ends by itself or all are stopped. */
async function keepWorker(
  early: EarlyWorker,
  assignment: WorkerAssignment,
  store: Store,
  allowed: Allowances,
  children: Map<number, Deno.ChildProcess>,
  stopping: AbortSignal,
): Promise<void> {
  let { args } = early;
  for (let pause = 0; !stopping.aborted;) {
    const startedAt = performance.now();
    const child = args.replacement
      ? spawnWorker(args, allowed, folderToStartIn(assignment.folder))
      : early.child;
    early.isAssigned = true;
    if (child instanceof Error) {
      print([`Manager: cannot start a worker: ${child.message}`]);
    } else {
      print([`Manager: spawned worker pid=${child.pid}`]);
      const printed = passOn(child);
      await assign(child, assignment);
      children.set(args.number, child);
      if (stopping.aborted) await tellToStop(child);
      const status = await child.status;
      await printed;
      children.delete(args.number);
      if (status.success) return;
      if (
        status.code === stoppedStatus &&
        (stopping.aborted || !store.isInPlace() || await isStopWanted(store, assignment.manager))
      ) {
        return;
      }
      print([`Manager: worker pid=${child.pid} ended with ${status.signal ?? `status ${status.code}`}`]);
    }
    // The first replacement comes at once: a command may be waiting to be adopted.
    args = { ...args, replacement: true };
    pause = performance.now() - startedAt > healthyAfter ? 0 : pause === 0 ? 100 : Math.min(pause * 2, 5000);
    await delay(pause === 100 ? 0 : pause, stopping);
  }
}

/**
 * Renews the manager's lease, looks for a stop request, which the workers find by themselves, and whether the database is
 * still in its place.
 */
function watchStore(
  store: Store,
  id: number,
  register: (id: number) => Promise<number>,
  onStop: () => void,
  onReplaced: () => void,
): () => Promise<void> {
  let isOver = false;
  // What a manager meets that is leaving is nothing to it: it renews no lease, and is stopping.
  const report = (error: Error) => {
    if (!isOver) print([`Manager: ${error.message}`]);
  };
  let lease = 0;
  const readLease = async () => lease = configFrom(await store.settings()).lease;
  const heartbeat = startHeartbeat(() => lease, async () => {
    // Forgotten while it was suspended: its workers know it by this id.
    if (!await store.heartbeat(id, await readLease())) await register(id);
  }, report);
  let looking: Promise<void> | undefined;
  async function look(): Promise<void> {
    const before = lease;
    if (await readLease() !== before) heartbeat.beatNow();
    if (await isAskedToStop(store, id)) onStop();
  }
  const timer = setInterval(() => {
    if (!store.isInPlace()) {
      clearInterval(timer);
      return onReplaced();
    }
    // Looked at only when it can be acted on: a change is reported once.
    if (isOver || looking || !store.changed()) return;
    looking = look().catch(report).finally(() => looking = undefined);
  }, pollInterval);
  // The first beat is at once, because only it knows how long the lease is.
  heartbeat.beatNow();
  return async () => {
    isOver = true;
    clearInterval(timer);
    await Promise.all([looking, heartbeat.stop()]);
  };
}

async function isAskedToStop(store: Store, manager: number): Promise<boolean> {
  return (await store.exchange(manager, [], 0)).stop !== null;
}

/** The same where the store may be out of reach: a manager outlives that, and its next worker finds the request. */
async function isStopWanted(store: Store, manager: number): Promise<boolean> {
  try {
    return await isAskedToStop(store, manager);
  } catch (error) {
    print([`Manager: ${(error as Error).message}`]);
    return false;
  }
}

/** 0 when everything is done and no job has died meanwhile. */
async function drainStatus(
  store: Store,
  queues: readonly string[] | null,
  before: Deaths,
): Promise<number> {
  if (!await isDrained(store, queues)) return 1;
  const { ever, present } = await deathsOf(store, queues);
  return ever > before.ever && present > before.present ? 1 : 0;
}

/** How many jobs ever died, in whatever queue, and how many of those that a manager is about are dead now. */
interface Deaths {
  ever: number;
  present: number;
}

/** Where it is about all of them, one that died and was retried or removed since counts too. */
async function deathsOf(store: Store, queues: readonly string[] | null): Promise<Deaths> {
  const ever = await store.deaths();
  if (queues === null) return { ever, present: ever };
  const dead = (await store.queues()).filter(({ name }) => queues.includes(name)).map(({ counts }) =>
    counts.dead
  );
  return { ever, present: dead.reduce((sum, jobs) => sum + jobs, 0) };
}
