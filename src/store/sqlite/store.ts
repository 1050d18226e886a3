/** The store on one SQLite file: opens it, and puts the operations of this folder behind the {@link Store} interface. */

import { pathResolver } from "../../base/absolute_path.ts";
import { QueuectlError } from "../../base/errors.ts";
import { fileItself, reasonOf, statIfThere } from "../../base/files.ts";
import {
  databaseExposures,
  databaseFileExposures,
  type Exposure,
  refusalOf,
} from "../../base/other_users.ts";
import { damageTeller } from "../damage.ts";
import type { OpenOptions, Store } from "../store.ts";
import { connect, type Database, explained, isFull } from "./database.ts";
import { enqueue, enqueueDefaults } from "./enqueue.ts";
import { identities, isKnownPlace, placeOf, presence } from "./file_identity.ts";
import { hasSchema } from "./schema_version.ts";
import { watchLog } from "./watch.ts";
import { lazy } from "../../base/lazy.ts";

/** Opens a SQLite file by its path. See {@link openStore} for what it throws. */
export async function openSqliteStore(file: string, options: OpenOptions): Promise<Store> {
  const given = (await pathResolver())(file);
  const prepared = await prepareFile(given, options);
  try {
    return await openFile(given, prepared, options);
  } catch (error) {
    // What may add jobs leaves the reserve to what removes some.
    if (options.missing === "create" || !isFull(error)) throw error;
    const giveBack = (await reserves()).takeReserve(prepared.path);
    try {
      return await openFile(given, prepared, options, giveBack);
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

/** `giveBack` ends the use of the reserve, where it was needed already. */
async function openFile(
  given: string,
  { path, state }: PreparedFile,
  options: OpenOptions,
  giveBack?: () => void,
): Promise<Store> {
  const exists = state !== "none";
  const tell = damageTeller(options.damaged ?? options.notify ?? (() => {}));
  const database = connect(exists ? path : ":memory:", options.durable, options.clock ?? Date.now, tell);
  try {
    const isOtherNameFine = options.allowLinked && !options.inspect;
    const place = exists && Deno.build.os === "linux" && !isOtherNameFine ? placeOf(path) : null;
    const { isMade, isKnown } = await database.read(() => {
      const isMade = hasSchema(database);
      return { isMade, isKnown: place === null || isMade && isKnownPlace(database, place) };
    });
    // Where it was not seen before it may be mounted alone. Before anything is written to it.
    const isSound = isKnown || state === "new" || await (await secondNames()).refuseOwnMount(path, options);
    if (!isMade) {
      const { makeSchema } = await import("./make_schema.ts");
      await makeSchema(database, exists ? options.notify ?? (() => {}) : () => {});
    }
    // Somebody may have made one of its files between the first look and now.
    if (exists && !options.allowShared) {
      refuseForeign(databaseFileExposures(given).filter(({ isForeign }) => isForeign));
    }
    if (!isKnown && isSound && place !== null && options.missing === "create") {
      await (await secondNames()).notePlace(database, place);
    }
    const store = storeOn(database, path, given, exists, giveBack);
    database.opened();
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The file to open. */
interface PreparedFile {
  /** Of the file itself, whatever link it was named by: its log, its spool and what its jobs get are by that name. */
  path: string;
  /** `new` is one that was made, for its owner alone. */
  state: "found" | "new" | "none";
}

/** Looks for the file, and makes it where that was asked for. */
async function prepareFile(given: string, options: OpenOptions): Promise<PreparedFile> {
  try {
    const path = fileItself(given);
    const info = fileIfThere(path);
    if (info || options.missing === "create") refuseShared(given, options);
    const names = info?.nlink ?? 1;
    if (names > 1) (await secondNames()).refuseHardLinks(path, names, options);
    refuseEmptied(path);
    if (info) return { path, state: "found" };
    if (options.missing === "empty") return { path, state: "none" };
    return { path, state: await createFile(path) ? "new" : "found" };
  } catch (error) {
    throw await notUsable(given, error);
  }
}

function fileIfThere(path: string): Deno.FileInfo | undefined {
  const info = statIfThere(path);
  if (!info || info.isFile) return info;
  const kind = info.isDirectory ? "a folder" : "a device";
  throw new QueuectlError("database", `The database ${path} is ${kind}, not a file`);
}

/** Throws where other users have made one of the files, or can write them. */
function refuseShared(path: string, { allowShared, inspect }: OpenOptions): void {
  if (allowShared && !inspect) return;
  const found = databaseExposures(path);
  inspect?.(found);
  if (!allowShared) refuseForeign(inspect ? found.filter(({ isForeign }) => isForeign) : found);
}

function refuseForeign([first]: Exposure[]): void {
  if (first) throw new QueuectlError("database", refusalOf(first));
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

/** False where another process was faster. */
async function createFile(path: string): Promise<boolean> {
  try {
    // Whoever can write the queue can run commands as its owner. SQLite gives its other files the same mode.
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (fileIfThere(path)) return false;
    throw new QueuectlError("database", `The database ${path} is a link to nothing`, { cause: error });
  }
  // The name of the new file has to be on the disk too before a job in it is acknowledged.
  if (Deno.build.os === "windows") return true;
  using folder = Deno.openSync(await folderOf(path));
  folder.syncSync();
  return true;
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
const rest = once(async () => await import(lazy("./loaded_later.ts")) as typeof import("./loaded_later.ts"));
const secondNames = once(async () => await import("./second_names.ts"));
const reserves = once(async () => await import("./reserve.ts"));

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => loaded ??= load();
}

/** Operations that need nothing of this store but its engine. */
const delegates = [
  "leave",
  "processes",
  "isRunning",
  "counts",
  "countOpen",
  "keptBack",
  "deaths",
  "queueNames",
  "tagNames",
  "lastOutput",
  "findRun",
  "find",
  "progress",
  "upcoming",
  "ranAfter",
  "detail",
  "runAfter",
  "attempts",
  "list",
  "keys",
  "pageOfKeys",
  "retry",
  "dlqRetry",
  "edit",
  "signal",
  "removeSignals",
  "hold",
  "release",
  "setQueue",
  "pauseQueues",
  "moveJobs",
  "cancel",
  "remove",
  "dlqPurge",
  "settings",
  "setSetting",
  "unsetSetting",
] as const;

type Delegates = Pick<Store, typeof delegates[number]>;

/** These operations, which are loaded when the first of them is asked for. */
function delegated(load: () => Promise<Delegates>): Delegates {
  return Object.fromEntries(delegates.map((name) => [
    name,
    async (...args: unknown[]) => await (await load())[name](...args as [never, never, never]),
  ])) as unknown as Delegates;
}

function storeOn(
  database: Database,
  path: string,
  given: string,
  exists: boolean,
  giveBack?: () => void,
): Store {
  const workerNames = new Map<number, string>();
  const log = watchLog(path);
  const readVersion = () =>
    explained(path, () => database.prepare("PRAGMA data_version").get()!.data_version);
  let version = readVersion();
  let known: string[] | undefined;

  const operations = once(async () => {
    const { engineOn, operationsOn } = await rest();
    const tidy = async () => (await reserves()).reuseLog(database);
    return operationsOn(engineOn(database), { relief: { after: takeReserveAfter, tidy } });
  });

  /** Whether an error was that the disk is full, and the reserve has made room for what removes or ends something. */
  async function takeReserveAfter(error: unknown): Promise<boolean> {
    if (!isFull(error)) return false;
    const { takeReserve, reuseLog } = await reserves();
    giveBack ??= takeReserve(path);
    reuseLog(database);
    return true;
  }

  async function withReserve<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!await takeReserveAfter(error)) throw error;
      return await act();
    }
  }

  return {
    ...delegated(operations),
    // Absolute: a command that enqueues others runs in another folder.
    url: path,
    urlWithoutPassword: path,
    location: path,
    exists,
    // Its log needs memory that processes share: all who use the file are on one host, and see each other.
    shared: false,
    spool: `${path}.spool`,
    get identities() {
      return known ??= identities(path);
    },
    isInPlace: exists ? presence(given) : () => true,
    enqueue: (jobs) => enqueue(database, jobs),
    intake: async () => (await import("./bulk_enqueue.ts")).openIntake(database),
    exchange: async (worker, finished, want, begun = []) => {
      const workerName = workerNames.get(worker) ?? String(worker);
      return (await rest()).exchange(database, worker, workerName, finished, want, begun);
    },
    availability: async (queues = null) => (await rest()).availability(database, queues),
    isWorkLeft: async (queues = null) => (await rest()).isWorkLeft(database, queues),
    changed() {
      const before = version;
      return before !== (version = readVersion());
    },
    watch: (wake) => log.watch(wake),
    async register(registration) {
      const id = await (await rest()).register(database, registration);
      const { host, pid } = registration.identity;
      workerNames.set(id, `${host.split("/")[0]}:${pid}`);
      return id;
    },
    heartbeat: async (process, lease, pace = null) =>
      (await rest()).heartbeat(database, process, lease, pace),
    // A file is there or not.
    hasten: () => {},
    takeOver: async (worker, gone, silent) => (await rest()).takeOver(database, worker, gone, silent),
    requestStop: (request, gone, hosts) =>
      withReserve(async () => (await operations()).requestStop(request, gone, hosts)),
    keepOutput: () => Promise.resolve(),
    keptOutput: () => Promise.resolve([]),
    strangers: () => Promise.resolve([]),
    check: async () => (await import("./check.ts")).check(database),
    async moving() {
      if (!exists) throw new QueuectlError("database", `There is no database ${path} yet`);
      return (await import("./transfer.ts")).movingOn(database);
    },
    queues: async () => (await rest()).queues(database),
    enqueueDefaults: () => enqueueDefaults(database),
    removeQueue: (name) => withReserve(async () => (await operations()).removeQueue(name)),
    makeReserve: async () => (await reserves()).makeReserve(path),
    [Symbol.asyncDispose]() {
      log.close();
      database.close();
      giveBack?.();
      return Promise.resolve();
    },
  };
}
