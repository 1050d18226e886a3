/** The store on one SQLite file: opens it, and puts the operations of this folder behind the {@link Store} interface. */

import { pathResolver } from "../../absolute_path.ts";
import { QueuectlError } from "../../errors.ts";
import { reasonOf, statIfThere } from "../../files.ts";
import { scopes } from "../refusals.ts";
import type { OpenOptions, Store } from "../store.ts";
import { connect, type Database, explained } from "./database.ts";
import { enqueue } from "./enqueue.ts";
import { schemaVersion } from "./schema.ts";
import { readVersion } from "./schema_version.ts";
import { enqueueDefaults, setSetting, settings, unsetSetting } from "./settings.ts";
import { watchLog } from "./watch.ts";
import { later } from "../../later.ts";

/** Opens a SQLite file by its path. See {@link openStore} for what it throws. */
export async function openSqliteStore(file: string, options: OpenOptions): Promise<Store> {
  const path = (await pathResolver())(file);
  const exists = await prepareFile(path, options);
  const database = connect(exists ? path : ":memory:", options.durable, options.clock ?? Date.now);
  try {
    if (await database.read(() => readVersion(database)) !== schemaVersion) {
      const { migrate } = await import(later("./migrate.ts")) as typeof import("./migrate.ts");
      await migrate(database, exists ? options.notify ?? (() => {}) : () => {});
    }
    const store = storeOn(database, path, exists);
    database.opened();
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether there is a file to open, after making one for its owner alone where that was asked for. */
async function prepareFile(path: string, { missing, allowShared }: OpenOptions): Promise<boolean> {
  try {
    if (isThere(path)) {
      if (!allowShared) refuseShared(path);
      refuseEmptied(path);
      return true;
    }
    refuseEmptied(path);
    if (missing === "empty") return false;
    await createFile(path);
    return true;
  } catch (error) {
    throw await notUsable(path, error);
  }
}

function isThere(path: string): boolean {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    if (isFile) return true;
    const kind = isDirectory ? "a folder" : "a device";
    throw new QueuectlError("database", `The database ${path} is ${kind}, not a file`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Throws when others than the owner can write the file. */
function refuseShared(path: string): void {
  // Windows has no such mode.
  const { mode } = Deno.statSync(path);
  if (mode === null || (mode & 0o022) === 0) return;
  throw new QueuectlError(
    "database",
    `The database ${path} can be written by other users, who could have commands run as you: ` +
      `take that away with "chmod go-w ${path}", or use it all the same with --allow-shared-db`,
  );
}

/** Throws when the file is empty or missing, but its write-ahead log is not: SQLite would throw the log away. */
function refuseEmptied(path: string): void {
  // In this order: who makes the database writes its first page before the log.
  if ((statIfThere(`${path}-wal`)?.size ?? 0) === 0 || (statIfThere(path)?.size ?? 0) > 0) return;
  throw new QueuectlError(
    "database",
    `The database ${path} is empty or missing, but its log ${path}-wal is not: restore it from a backup, or remove both`,
  );
}

async function createFile(path: string): Promise<void> {
  try {
    // Whoever can write the queue can run commands as its owner. SQLite gives its other files the same mode.
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (isThere(path)) return; // Another process was faster.
    throw new QueuectlError("database", `The database ${path} is a link to nothing`, { cause: error });
  }
  // The name of the new file has to be on the disk too before a job in it is acknowledged.
  if (Deno.build.os === "windows") return;
  using folder = Deno.openSync(await folderOf(path));
  folder.syncSync();
}

// Needed once for a database, and where something is wrong: not worth what node:path costs at every start.
async function folderOf(path: string): Promise<string> {
  return (await import("node:path")).dirname(path);
}

async function notUsable(path: string, error: unknown): Promise<unknown> {
  if (error instanceof QueuectlError || !(error instanceof Error)) return error;
  const reason = error instanceof Deno.errors.NotFound
    ? `its folder ${await folderOf(path)} does not exist`
    : reasonOf(error).replace(/^([A-Z]\w+: )/, "").replace(/ \(os error \d+\).*$/s, "");
  return new QueuectlError("database", `The database ${path} cannot be opened: ${reason}`, { cause: error });
}

// What a plain enqueue does not need. Workers ask for each batch of jobs: the modules are kept, not imported again.
const acts = once(async () => await import(later("./acts.ts")) as typeof import("./acts.ts"));
const questions = once(async () => await import(later("./questions.ts")) as typeof import("./questions.ts"));
const work = once(async () => await import(later("./work.ts")) as typeof import("./work.ts"));

const searchIndex = once(async () =>
  await import(later("./search_index.ts")) as typeof import("./search_index.ts")
);

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => loaded ??= load();
}

function storeOn(database: Database, path: string, exists: boolean): Store {
  const workerNames = new Map<number, string>();
  const readVersion = () =>
    explained(path, () => database.prepare("PRAGMA data_version").get()!.data_version);
  let version = readVersion();

  return {
    // Absolute: a command that enqueues others runs in another folder.
    url: path,
    location: path,
    exists,
    // Its log needs memory that processes share: all who use the file are on one host, and see each other.
    shared: false,
    spool: `${path}.spool`,
    enqueue: (jobs) => enqueue(database, jobs),
    intake: async () =>
      (await import(later("./intake.ts")) as typeof import("./intake.ts")).openIntake(database),
    exchange: async (worker, finished, want) =>
      (await work()).exchange(database, worker, workerNames.get(worker) ?? String(worker), finished, want),
    outlook: async (queues = null) => (await work()).outlook(database, queues),
    isWorkLeft: async (queues = null) => (await work()).isWorkLeft(database, queues),
    changed() {
      const before = version;
      return before !== (version = readVersion());
    },
    watch: (wake) => watchLog(path, wake),
    async register(registration) {
      const id = await (await work()).register(database, registration);
      const { host, pid } = registration.identity;
      workerNames.set(id, `${host.split("/")[0]}:${pid}`);
      return id;
    },
    heartbeat: async (process, lease, pace = null) =>
      (await work()).heartbeat(database, process, lease, pace),
    leave: async (process) => (await work()).leave(database, process),
    processes: async () => (await work()).listProcesses(database),
    takeOver: async (worker, gone, silent) => (await work()).takeOver(database, worker, gone, silent),
    isRunning: async (seq, run, boot) => (await work()).isRunning(database, seq, run, boot),
    requestStop: async (request, gone, hosts) => (await work()).requestStop(database, request, gone, hosts),
    counts: async () => (await questions()).counts(database),
    keptBack: async () => (await questions()).keptBack(database),
    countOpen: async () => (await questions()).countOpen(database),
    queueNames: async () => (await questions()).queueNames(database),
    tagNames: async (limit) => (await questions()).tagNames(database, limit),
    deaths: async () => (await questions()).deaths(database),
    list: async (filter) => (await acts()).list(database, filter),
    keys: async (filter) => (await acts()).keys(database, filter),
    pageOfKeys: async (filter) => (await acts()).pageOfKeys(database, filter),
    lastOutput: async (id) => (await questions()).lastOutput(database, id),
    keepOutput: () => Promise.resolve(),
    keptOutput: () => Promise.resolve([]),
    findRun: async (id) => (await questions()).findRun(database, id),
    find: async (ids) => (await questions()).find(database, ids),
    progress: async (seqs) => (await questions()).progress(database, seqs),
    upcoming: async (limit) => (await questions()).upcoming(database, limit),
    ranAfter: async (seq) => (await questions()).ranAfter(database, seq),
    detail: async (id) => (await questions()).detail(database, id),
    runAfter: async (seq, run) => (await questions()).runAfter(database, seq, run),
    attempts: async (id) => (await questions()).attempts(database, id),
    cancel: async (jobs, tell) => (await acts()).cancel(database, jobs, tell),
    retry: async (jobs, changes, tell) => (await acts()).retry(database, jobs, changes, scopes.retry, tell),
    remove: async (jobs, tell) => (await acts()).remove(database, jobs, scopes.remove, tell),
    edit: async (jobs, changes, start) => (await acts()).edit(database, jobs, changes, start),
    signal: async (jobs, name) => (await acts()).signal(database, jobs, name),
    removeSignals: async (ids) => (await work()).removeSignals(database, ids),
    hold: async (jobs) => (await acts()).hold(database, jobs),
    release: async (jobs) => (await acts()).release(database, jobs),
    dlqRetry: async (jobs, changes, tell) =>
      (await acts()).retry(database, jobs, changes, scopes.dlqRetry, tell),
    dlqPurge: async (jobs, tell) => (await acts()).remove(database, jobs, scopes.dlqPurge, tell),
    extendSearchIndex: async () => (await searchIndex()).extendSearchIndex(database),
    check: async () => (await import(later("./check.ts")) as typeof import("./check.ts")).check(database),
    async moving() {
      if (!exists) throw new QueuectlError("database", `There is no database ${path} yet`);
      return (await import(later("./moving.ts")) as typeof import("./moving.ts")).movingOn(database);
    },
    queues: async () => (await acts()).queues(database),
    enqueueDefaults: () => enqueueDefaults(database),
    setQueue: async (name, changes) => (await acts()).setQueue(database, name, changes),
    pauseQueues: async (names, paused) => (await acts()).pauseQueues(database, names, paused),
    removeQueue: async (name) => (await acts()).removeQueue(database, name),
    moveJobs: async (jobs, queue) => (await acts()).moveJobs(database, jobs, queue),
    settings: () => settings(database),
    setSetting: (name, value) => setSetting(database, name, value),
    unsetSetting: (name) => unsetSetting(database, name),
    [Symbol.asyncDispose]() {
      database.close();
      return Promise.resolve();
    },
  };
}
