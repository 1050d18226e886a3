/** All that a queue holds, read past the store: what a move has to bring over. */

import { onServer } from "./postgres_database.ts";
import { queryFile } from "./sqlite_database.ts";

export type Table = Array<Record<string, unknown>>;

/** The rows of the tables that move, the same for every driver. */
export interface QueueRows {
  jobs: Table;
  attempts: Table;
  dependencies: Table;
  config: Table;
  /** By the names of the states, and `died`. */
  counters: Record<string, number>;
}

/** Which columns are compared: not those that only one driver has, nor who runs a job. */
const columns = {
  jobs:
    "seq, id, command, state, attempts, max_retries, priority, created_at, updated_at, next_attempt_at, claim, run, " +
    "timeout, base_backoff, cwd, env, last_error, blocked",
  attempts:
    "job, run, number, worker, started_at, ended_at, outcome, exit_code, signal, output, error_output",
};

const queries = (prefix: string) => ({
  jobs:
    `SELECT ${columns.jobs}, CASE WHEN available THEN 1 ELSE 0 END AS available FROM ${prefix}jobs ORDER BY seq`,
  attempts: `SELECT ${columns.attempts} FROM ${prefix}attempts ORDER BY job, run`,
  dependencies: `SELECT parent, child, kind, CASE WHEN open THEN 1 ELSE 0 END AS open,
      CASE WHEN broken THEN 1 ELSE 0 END AS broken FROM ${prefix}dependencies ORDER BY parent, child`,
  config: `SELECT key, value FROM ${prefix}config ORDER BY key`,
});

/** Reads the queue that a URL of one of the test drivers names. */
export async function queueRows(url: string): Promise<QueueRows> {
  if (!url.startsWith("postgres")) {
    const { jobs, attempts, dependencies, config } = queries("");
    const counters = queryFile(url, "SELECT name, value FROM counters");
    return {
      jobs: queryFile(url, jobs),
      attempts: queryFile(url, attempts),
      dependencies: queryFile(url, dependencies),
      config: queryFile(url, config),
      counters: Object.fromEntries(counters.map(({ name, value }) => [name, Number(value)])),
    };
  }
  return await onServer(async (sql) => {
    const prefix = `"${new URL(url).searchParams.get("schema")}".`;
    const { jobs, attempts, dependencies, config } = queries(prefix);
    const read = async (query: string): Promise<Table> =>
      (await sql.unsafe(query)).map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)]))
      );
    const sums = ["pending", "processing", "completed", "failed", "dead", "cancelled", "died"].map((name) =>
      `sum(${name}) AS ${name}`
    );
    const [counters] = await read(`SELECT ${sums.join(", ")} FROM ${prefix}counters`);
    return {
      jobs: await read(jobs),
      attempts: await read(attempts),
      dependencies: await read(dependencies),
      config: await read(config),
      counters: Object.fromEntries(Object.entries(counters).map(([name, value]) => [name, Number(value)])),
    };
  });
}

const texts = new Set([
  ...[
    "id",
    "command",
    "state",
    "cwd",
    "env",
    "last_error",
    "worker",
    "outcome",
    "signal",
    "output",
    "error_output",
  ],
  ...["key", "value", "kind"],
]);

/** The client gives 8-byte integers as text. */
const plain = (name: string, value: unknown) =>
  typeof value === "string" && !texts.has(name) ? Number(value) : value;
