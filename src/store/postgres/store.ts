/** The store on a PostgreSQL server: opens it, and puts the operations of this folder behind the {@link Store} interface. */

import { hasParents } from "../optional_fields.ts";
import { damageTeller } from "../damage.ts";
import { scopes } from "../refusals.ts";
import type { OpenOptions, Store } from "../store.ts";
import { cancel } from "./cancel.ts";
import { check } from "./check.ts";
import { connectionOptions } from "./connection/options.ts";
import { connect, type Database } from "./connection/database.ts";
import { edit } from "./edit.ts";
import { emptyStore } from "./empty.ts";
import { enqueue } from "./enqueue.ts";
import { exchange } from "./exchange.ts";
import { hold, release } from "./hold.ts";
import { enqueueCollected } from "../bulk_enqueue.ts";
import { openIntake } from "./bulk_enqueue.ts";
import { keys, list, pageOfKeys } from "./list.ts";
import { migrate, type Queue } from "./migrate.ts";
import { createListener } from "./connection/notifications.ts";
import { isWorkLeft, outlook } from "./next_job.ts";
import { heartbeat, isRunning, leave, listProcesses, register, requestStop, takeOver } from "./processes.ts";
import { keepOutput, keptOutput } from "./output.ts";
import { detail, find, progress, ranAfter, runAfter, upcoming } from "./progress.ts";
import {
  attempts,
  countOpen,
  counts,
  deaths,
  findRun,
  keptBack,
  lastOutput,
  queueNames,
  tagNames,
} from "./queries.ts";
import { moveJobs, pauseQueues, queues, removeQueue, setQueue } from "./queues.ts";
import { strangers } from "./ownership.ts";
import { remove } from "./remove.ts";
import { createRequests } from "./claim_requests.ts";
import { retry } from "./retry.ts";
import { enqueueDefaults, setSetting, settings, unsetSetting } from "./settings.ts";
import { removeSignals, signal } from "./signal.ts";
import { spoolFolder } from "./spool_folder.ts";
import { ownSurroundings } from "./connection/surroundings.ts";

/**
 * Opens the queue in a database of a server by its URL; the spool is in a folder of this user on this host. See
 * {@link openStore} for what it throws.
 */
export async function openPostgresStore(url: string, options: OpenOptions): Promise<Store> {
  const notify = options.notify ?? (() => {});
  const connection = connectionOptions(url, ownSurroundings());
  for (const warning of connection.warnings) notify(warning);
  const tell = damageTeller(options.damaged ?? notify);
  const database = await connect(connection, options.clock, undefined, tell);
  try {
    const queue = await migrate(database, options.missing === "create", notify, options.allowShared);
    // Most commands need none.
    const spool = () =>
      spoolFolder(
        queue ?? { identity: "", database: connection.database, server: "" },
        connection.schema,
        Deno.build.os,
        Deno.env.toObject(),
      );
    if (queue) return storeOn(database, url, spool, queue);
    await database.close();
    return emptyStore(url, connection.location, spool);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function storeOn(database: Database, url: string, spool: () => string, queue: Queue): Store {
  const workerNames = new Map<number, string>();
  const requests = createRequests();
  const listener = createListener(database);

  return {
    url,
    urlWithoutPassword: database.options.location,
    location: database.options.location,
    get spool() {
      return spool();
    },
    identities: [encodeURIComponent(queue.started)],
    begunAt: queue.startedAt,
    isInPlace: () => true,
    makeReserve: () => Promise.resolve(),
    exists: true,
    shared: true,
    enqueue: (jobs) =>
      jobs.some(hasParents) ? enqueueCollected(openIntake(database), jobs) : enqueue(database, jobs),
    intake: () => Promise.resolve(openIntake(database)),
    exchange: (worker, finished, want, begun = []) => {
      const workerName = workerNames.get(worker) ?? String(worker);
      return exchange(database, requests, { worker, workerName, finished, want, begun });
    },
    outlook: (queues = null) => outlook(database, queues),
    isWorkLeft: (queues = null) => isWorkLeft(database, queues),
    changed: () => listener.changed(),
    watch: (wake) => listener.watch(wake),
    async register(registration) {
      const id = await register(database, registration);
      const { host, pid } = registration.identity;
      workerNames.set(id, `${host.split("/")[0]}:${pid}`);
      return id;
    },
    heartbeat: (process, lease, pace = null) => heartbeat(database, listener, process, lease, pace),
    leave: (process) => leave(database, process),
    processes: () => listProcesses(database),
    takeOver: (worker, gone, silent) => takeOver(database, requests, worker, gone, silent),
    hasten: (milliseconds) => database.hasten(milliseconds),
    isRunning: (seq, run, boot) => isRunning(database, seq, run, boot),
    requestStop: (request, gone, hosts) => requestStop(database, request, gone, hosts),
    counts: () => counts(database),
    keptBack: () => keptBack(database),
    countOpen: () => countOpen(database),
    queueNames: () => queueNames(database),
    tagNames: (limit) => tagNames(database, limit),
    deaths: () => deaths(database),
    list: (filter) => list(database, filter),
    keys: (filter) => keys(database, filter),
    pageOfKeys: (filter) => pageOfKeys(database, filter),
    lastOutput: (id) => lastOutput(database, id),
    keepOutput: (parts) => keepOutput(database, parts),
    keptOutput: (seq, run, after) => keptOutput(database, seq, run, after),
    findRun: (id) => findRun(database, id),
    find: (ids) => find(database, ids),
    progress: (seqs) => progress(database, seqs),
    upcoming: (limit) => upcoming(database, limit),
    ranAfter: (seq) => ranAfter(database, seq),
    detail: (id) => detail(database, id),
    runAfter: (seq, run) => runAfter(database, seq, run),
    attempts: (id) => attempts(database, id),
    cancel: (jobs, tell) => cancel(database, jobs, tell),
    retry: (jobs, changes, tell) => retry(database, jobs, changes, scopes.retry, tell),
    remove: (jobs, tell) => remove(database, jobs, scopes.remove, tell),
    edit: (jobs, changes, start) => edit(database, jobs, changes, start),
    signal: (jobs, name) => signal(database, jobs, name),
    removeSignals: (ids) => removeSignals(database, ids),
    hold: (jobs) => hold(database, jobs),
    release: (jobs) => release(database, jobs),
    dlqRetry: (jobs, changes, tell) => retry(database, jobs, changes, scopes.dlqRetry, tell),
    dlqPurge: (jobs, tell) => remove(database, jobs, scopes.dlqPurge, tell),
    check: () => check(database),
    strangers: () =>
      strangers(
        async (statement) => (await database.batch([statement], { readOnly: true }))[0],
        database.options.schema,
      ),
    moving: async () => (await import("./moving.ts")).movingOn(database),
    queues: () => queues(database),
    enqueueDefaults: () => enqueueDefaults(database),
    setQueue: (name, changes) => setQueue(database, name, changes),
    pauseQueues: (names, paused) => pauseQueues(database, names, paused),
    removeQueue: (name) => removeQueue(database, name),
    moveJobs: (jobs, queue) => moveJobs(database, jobs, queue),
    settings: () => settings(database),
    setSetting: (name, value) => setSetting(database, name, value),
    unsetSetting: (name) => unsetSetting(database, name),
    async [Symbol.asyncDispose]() {
      await Promise.all([listener.close(), database.close()]);
    },
  };
}
