/** The source of a move: reading a whole queue. */

import { listProcesses } from "../operations/processes.ts";
import { QueuectlError } from "../../base/errors.ts";
import {
  type Batch,
  createBatcher,
  type Departure,
  movedColumns,
  movedRow,
  type MovedTable,
} from "../transfer_types.ts";
import { number, type Row, text } from "../rows.ts";
import type { Database, Run } from "./connection/database.ts";
import { count, lastSeq, openLocked, sealed } from "./transfer_lock.ts";
import { deaths } from "../operations/counts.ts";
import { engineOn } from "./engine.ts";
import { queues } from "./queues.ts";
import { settings } from "../operations/settings.ts";

/** Locks the queue and reads all of it. */
export async function depart(whole: Database): Promise<Departure> {
  const transaction = await openLocked(whole);
  await using stack = new AsyncDisposableStack();
  stack.use(transaction);
  const { run, database } = transaction;
  await refuseOthers(database, run);
  const departure: Departure = {
    processes: await engineOn(database).read(listProcesses),
    jobs: await count(run, "queuectl.jobs"),
    processing: await count(run, "queuectl.jobs WHERE state = 'processing'"),
    rest: {
      settings: await engineOn(database).read(settings),
      queues: (await queues(database)).map(({ counts: _, ...queue }) => queue),
      starts: (await run("SELECT queue, at, jobs FROM queuectl.starts")).map((row) => ({
        queue: text(row, "queue"),
        at: number(row, "at"),
        jobs: number(row, "jobs"),
      })),
      deaths: await engineOn(database).read(deaths),
      lastSeq: await lastSeq(database, run),
    },
    async *batches() {
      yield* batchesOf(run, database.options.location, "jobs");
      yield* batchesOf(run, database.options.location, "attempts");
      yield* batchesOf(run, database.options.location, "dependencies");
    },
    async seal({ id, place, location }) {
      await run("INSERT INTO queuectl.moves (id, direction, place, location) VALUES ($1, 'out', $2, $3)", [
        id,
        place,
        location,
      ]);
      for (const table of sealed) {
        await run(`CREATE TRIGGER moving BEFORE INSERT OR UPDATE OR DELETE ON ${table}
          FOR EACH STATEMENT EXECUTE FUNCTION queuectl.refuse_change()`);
      }
      await transaction.commit();
    },
    [Symbol.asyncDispose]: () => transaction[Symbol.asyncDispose](),
  };
  stack.move();
  return departure;
}

/** Only who owns the tables can seal them, and take the seal off again. */
async function refuseOthers({ options }: Database, run: Run): Promise<void> {
  const [{ owned }] = await run(
    `SELECT bool_and(pg_has_role(relowner, 'USAGE')) AS owned FROM pg_catalog.pg_class
     WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND relkind = 'r'`,
    [options.schema],
  );
  if (owned === true) return;
  throw new QueuectlError(
    "database",
    `The database ${options.location} does not let user "${options.user}" do this: ` +
      "only the owner of the tables can move the queue away",
  );
}

/** The keys of a table and what of a row can be long. */
const shapes: Record<MovedTable, { key: readonly string[]; long: readonly string[] }> = {
  jobs: { key: ["seq"], long: ["command", "env", "last_error", "tags", "retry_rules"] },
  attempts: { key: ["job", "run"], long: ["output", "error_output"] },
  dependencies: { key: ["parent", "child"], long: [] },
};

/** Keys that are read at once. */
const keysAtOnce = 5000;

/**
 * First the keys and lengths of many rows, then the rows, as many at once as fit: a cursor would give a number of them,
 * however long they are.
 */
async function* batchesOf(run: Run, location: string, table: MovedTable): AsyncGenerator<Batch> {
  const { key, long } = shapes[table];
  const name = `queuectl.${table}`;
  const keys = key.join(", ");
  const place = (first: number) => `(${key.map((_, index) => `$${first + index}::bigint`).join(", ")})`;
  const length = ["0", ...long.map((column) => `coalesce(octet_length(${column}), 0)`)].join(" + ");
  const columns = Object.keys(movedColumns[table]).join(", ");
  const keyOf = (row: Row) => key.map((column) => number(row, column));

  let done = key.map(() => -1);
  async function read(to: number[]): Promise<Batch> {
    const rows = await run(
      `SELECT ${columns} FROM ${name} WHERE (${keys}) > ${place(1)} AND (${keys}) <= ${place(1 + key.length)}
       ORDER BY ${keys}`,
      [...done, ...to],
    );
    done = to;
    return { table, rows: rows.map((row) => movedRow(table, row, location)) };
  }

  const batcher = createBatcher<number[]>();
  for (let last = done;;) {
    const rows = await run(
      `SELECT ${keys}, ${length} AS length FROM ${name} WHERE (${keys}) > ${place(1)}
       ORDER BY ${keys} LIMIT ${keysAtOnce}`,
      last,
    );
    for (const row of rows) {
      const complete = batcher.add(keyOf(row), number(row, "length") + 100);
      if (complete) yield await read(complete.at(-1)!);
    }
    if (rows.length < keysAtOnce) break;
    last = keyOf(rows.at(-1)!);
  }
  const rest = batcher.rest();
  if (rest) yield await read(rest.at(-1)!);
}
