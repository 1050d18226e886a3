/** Tests with several hosts on one PostgreSQL queue, that leave no process, file or network behind. */

import type { Attempt, Job, NewJob } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { jobById, newJob } from "../store/suite/harness.ts";
import { canMakeHosts, type Host, makeHost } from "./hosts.ts";
import type { Manager } from "./manager.ts";
import { onServer, postgresSchema, postgresServer } from "./postgres_database.ts";
import { shortLease } from "./short_lease.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { waitFor } from "./wait_for.ts";

export interface SharedQueue {
  /** The folder that all hosts share, and in which commands run. */
  path: string;
  /** Of the queue, past all networks of hosts. */
  url: string;
  schema: string;
  store: Store;
  /** Makes a host; it ends with the test. */
  host(name: string): Promise<Host>;
  /** Starts `worker start` on a host; what it says is in the message of a test that fails. */
  start(host: Host, ...args: string[]): Manager;
  /** Adds jobs that are retried at once. */
  enqueue(...jobs: Array<Partial<NewJob> & { id: string; command: string }>): Promise<unknown>;
  reaches(id: string, state: Job["state"]): Promise<Job>;
  /** The runs of a job that have ended, as `[number, outcome]`. */
  outcomes(id: string): Promise<Array<[number, Attempt["outcome"]]>>;
  /** The number of sessions that hosts have with the server now. */
  sessions(): Promise<number>;
  touch(name: string): void;
  /** The text of a file; empty when there is none. */
  read(name: string): string;
}

/** Registers a test; it is ignored where there is no server, or hosts cannot be made. */
export function sharedTest(name: string, body: (queue: SharedQueue) => Promise<void>): void {
  Deno.test({
    name: `hosts: ${name}`,
    ignore: postgresServer === undefined || !canMakeHosts,
    fn: () => withSharedQueue(body),
  });
}

/** Runs `body` with a queue of its own. */
export async function withSharedQueue(body: (queue: SharedQueue) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const { url, schema } = stack.use(postgresSchema());
  const named = crypto.randomUUID();
  const store = stack.use(await openStore(url, { missing: "create", durable: false }));
  await store.setSetting("lease", `${shortLease}ms`);
  const managers: Array<{ host: Host; manager: Manager }> = [];
  // Hosts end before it is waited for: with them all that is left of a manager.
  stack.defer(async () => {
    for (const { manager } of managers) await Promise.all([manager.status, manager.closed]);
  });
  try {
    await body({
      path,
      url,
      schema,
      store,
      host: async (name) => stack.use(await makeHost(name, path, `${url}&application_name=${named}`)),
      start(host, ...args) {
        const manager = host.start(...args);
        managers.push({ host, manager });
        return manager;
      },
      enqueue: (...jobs) =>
        store.enqueue(jobs.map((job) => newJob(job.id, { baseBackoff: 0, cwd: path, ...job }))),
      reaches: (id, state) =>
        waitFor(`job ${id} in state ${state}`, async () => {
          const job = await jobById(store, id);
          return job.state === state && job;
        }, async () => ({ job: await jobById(store, id), attempts: await store.attempts(id) })),
      outcomes: async (id) => (await store.attempts(id)).map(({ number, outcome }) => [number, outcome]),
      sessions: async () => {
        const found = await onServer((sql) =>
          sql`SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name = ${named}`
        );
        return found[0].count;
      },
      touch: (name) => Deno.writeTextFileSync(`${path}/${name}`, ""),
      read(name) {
        try {
          return Deno.readTextFileSync(`${path}/${name}`);
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) return "";
          throw error;
        }
      },
    });
  } catch (error) {
    const said = managers.map(({ host, manager }) =>
      [`a manager on ${host.name} said:`, ...manager.lines].join("\n  ")
    );
    if (error instanceof Error) error.message += `\n${said.join("\n")}`;
    throw error;
  }
}
