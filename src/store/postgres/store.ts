/** The store on a PostgreSQL server: opens it, and puts the operations of this folder behind the {@link Store} interface. */

import { hasParents } from "../optional_fields.ts";
import { damageTeller } from "../damage.ts";
import { operationsOn } from "../operations/operations.ts";
import type { OpenOptions, Store } from "../store.ts";
import { check } from "./check.ts";
import { connectionOptions } from "./connection/options.ts";
import { connect, type Database } from "./connection/database.ts";
import { emptyStore } from "./empty.ts";
import { engineOn } from "./engine.ts";
import { enqueue, enqueueDefaults } from "./enqueue.ts";
import { exchange } from "./claim_and_record.ts";
import { enqueueCollected } from "../bulk_enqueue.ts";
import { openIntake } from "./bulk_enqueue.ts";
import { findQueue, type Queue } from "./make_schema.ts";
import { createListener } from "./connection/notifications.ts";
import { availability, isWorkLeft } from "./availability.ts";
import { heartbeat, register, takeOver } from "./processes.ts";
import { keepOutput, keptOutput } from "./output.ts";
import { queues } from "./queues.ts";
import { strangers } from "./ownership.ts";
import { createRequests } from "./unanswered_requests.ts";
import { spoolFolder } from "./spool_folder.ts";
import { readProcessEnvironment } from "./connection/process_environment.ts";

/**
 * Opens the queue in a database of a server by its URL; the spool is in a folder of this user on this host. See
 * {@link openStore} for what it throws.
 */
export async function openPostgresStore(url: string, options: OpenOptions): Promise<Store> {
  const notify = options.notify ?? (() => {});
  const connection = connectionOptions(url, readProcessEnvironment());
  for (const warning of connection.warnings) notify(warning);
  const tell = damageTeller(options.damaged ?? notify);
  const database = await connect(connection, options.clock, undefined, tell);
  try {
    const queue = await findQueue(database, options.missing === "create", notify, options.allowShared);
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
    ...operationsOn(engineOn(database)),
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
    availability: (queues = null) => availability(database, queues),
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
    takeOver: (worker, gone, silent) => takeOver(database, requests, worker, gone, silent),
    hasten: (milliseconds) => database.hasten(milliseconds),
    keepOutput: (parts) => keepOutput(database, parts),
    keptOutput: (seq, run, after) => keptOutput(database, seq, run, after),
    check: () => check(database),
    strangers: () =>
      strangers(
        async (statement) => (await database.batch([statement], { readOnly: true }))[0],
        database.options.schema,
      ),
    moving: async () => (await import("./transfer.ts")).movingOn(database),
    queues: () => queues(database),
    enqueueDefaults: () => enqueueDefaults(database),
    async [Symbol.asyncDispose]() {
      await Promise.all([listener.close(), database.close()]);
    },
  };
}
