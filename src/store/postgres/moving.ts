/**
 * Moving a whole queue out of a PostgreSQL database, or into one. A queue that is being moved is sealed by triggers,
 * which refuse every change: so they cost nothing while there are none, and also bind processes that are connected.
 */

import { failpoint } from "../../failpoint.ts";
import { jobStates } from "../../job/job.ts";
import type { Arrival, Batch, Departure, Move, MovedTable, Moving, Place, Rest } from "../moving.ts";
import { createBatcher, movedColumns, movedRow } from "../moving.ts";
import { beingMoved } from "../refusals.ts";
import { number, type Row, text } from "../rows.ts";
import { type Database, quoteIdentifier, type Run } from "./database.ts";
import { notification } from "./notifications.ts";
import { openTransaction } from "./open_transaction.ts";
import { listProcesses } from "./processes.ts";
import { deaths } from "./queries.ts";
import { settings } from "./settings.ts";
import { asJson, storable } from "./storable.ts";

const slow = { pace: "slow" } as const;

/** Both ends of a move in one schema. */
export function movingOn(database: Database): Moving {
  return {
    place: () => readPlace(database),
    begun: () => database.transaction(readBegun, { readOnly: true }),
    // With the lock: the server may still be committing for a program that was killed.
    hasArrived: (move) =>
      database.transaction(async (run) => {
        await lock(run);
        return (await run("SELECT 1 FROM queuectl.moves WHERE id = $1 AND direction = 'in'", [move])).length >
          0;
      }, slow),
    depart: () => depart(database),
    arrive: () => arrive(database),
    stay: (move) => ifBegun(database, move, () => Promise.resolve()),
    empty: (move) => ifBegun(database, move, empty),
  };
}

async function readPlace(database: Database): Promise<Place> {
  const [[row]] = await database.batch([{
    text:
      `SELECT identity::text, current_database()::text AS database, pg_postmaster_start_time()::text AS started,
      (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()) AS number FROM queuectl.queue`,
  }], { readOnly: true });
  const { schema } = database.options;
  const [identity, name, started, number] = ["identity", "database", "started", "number"].map((column) =>
    text(row, column)
  );
  return {
    name: ["postgres", identity, name, schema].join(" "),
    // Two servers that run do not start in the same microsecond; a copy of a database may have its identity.
    present: ["postgres", identity, started, number, schema].join(" "),
  };
}

async function readBegun(run: Run): Promise<Move | null> {
  const [row] = await run("SELECT id, place, location FROM queuectl.moves WHERE direction = 'out'");
  return row === undefined
    ? null
    : { id: text(row, "id"), place: text(row, "place"), location: text(row, "location") };
}

/** The tables that others change, in the order in which a worker's transaction takes them. */
const sealed = ["processes", "jobs", "attempts", "config"];
const sealedNames = sealed.map((table) => `queuectl.${table}`);

/** Keeps everybody else from changing the queue, until the end of the transaction; reading goes on. */
async function lock(run: Run): Promise<void> {
  await run(`LOCK TABLE ${sealedNames.join(", ")} IN EXCLUSIVE MODE`);
}

/** Begins a transaction that holds the lock, and is not lost by a power cut once it is committed. */
async function openLocked(database: Database) {
  return await openTransaction(database, async (run) => {
    await lock(run);
    await run(
      "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
    );
    const begun = await readBegun(run);
    if (begun) throw beingMoved(database.options.location, begun.location);
  });
}

async function count(run: Run, what: string): Promise<number> {
  const [row] = await run(`SELECT count(*) AS n FROM ${what}`);
  return number(row, "n");
}

async function depart(whole: Database): Promise<Departure> {
  const transaction = await openLocked(whole);
  await using stack = new AsyncDisposableStack();
  stack.use(transaction);
  const { run, database } = transaction;
  const departure: Departure = {
    processes: await listProcesses(database),
    jobs: await count(run, "queuectl.jobs"),
    processing: await count(run, "queuectl.jobs WHERE state = 'processing'"),
    rest: {
      settings: await settings(database),
      deaths: await deaths(database),
      lastSeq: await lastSeq(database, run),
    },
    async *batches() {
      yield* batchesOf(run, database.options.location, "jobs");
      yield* batchesOf(run, database.options.location, "attempts");
    },
    async seal({ id, place, location }) {
      await run("INSERT INTO queuectl.moves (id, direction, place, location) VALUES ($1, 'out', $2, $3)", [
        id,
        place,
        location,
      ]);
      for (const table of sealedNames) {
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

const jobsTable = ({ options }: Database) => `${quoteIdentifier(options.schema)}.jobs`;

async function lastSeq(database: Database, run: Run): Promise<number> {
  const [row] = await run(
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, 'seq')::regclass), 0) AS last",
    [jobsTable(database)],
  );
  return number(row, "last");
}

/** The keys of a table and what of a row can be long. */
const shapes: Record<MovedTable, { key: readonly string[]; long: readonly string[] }> = {
  jobs: { key: ["seq"], long: ["command", "env", "last_error"] },
  attempts: { key: ["job", "run"], long: ["output", "error_output"] },
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
  const length = long.map((column) => `coalesce(octet_length(${column}), 0)`).join(" + ");
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

/** Ends the move that was begun in this schema, when it is this one: the seal goes, and what `body` takes away. */
async function ifBegun(database: Database, move: string, body: (run: Run) => Promise<void>): Promise<void> {
  await database.transaction(async (run) => {
    // Not in the middle of another one's end.
    await run("SELECT version FROM queuectl.queue FOR UPDATE");
    if ((await readBegun(run))?.id !== move) return;
    for (const table of sealedNames) await run(`DROP TRIGGER moving ON ${table}`);
    await body(run);
    await run("DELETE FROM queuectl.moves WHERE id = $1", [move]);
    const { text: notify, parameters } = notification(database);
    await run(notify, parameters);
  }, slow);
}

async function empty(run: Run): Promise<void> {
  // The processes are gone; one that was only silent finds that it is not known any more.
  await run(`TRUNCATE ${sealedNames.join(", ")}`);
  const zeros = [...jobStates, "died"].map((name) => `${name} = 0`);
  await run(`UPDATE queuectl.counters SET ${zeros.join(", ")}`);
  failpoint("emptying");
}

async function arrive(whole: Database): Promise<Arrival> {
  const transaction = await openLocked(whole);
  await using stack = new AsyncDisposableStack();
  stack.use(transaction);
  const { run, database } = transaction;
  const deathsHere = await deaths(database);
  const arrival: Arrival = {
    processes: await listProcesses(database),
    jobs: await count(run, "queuectl.jobs"),
    add: (batch) => insert(run, batch),
    complete: (move, rest) => complete(database, run, move, rest, deathsHere),
    commit: () => transaction.commit(),
    [Symbol.asyncDispose]: () => transaction[Symbol.asyncDispose](),
  };
  stack.move();
  return arrival;
}

/** Which type the kinds of columns have here. */
const types = { whole: "bigint", real: "double precision", text: "text", flag: "boolean" };

async function insert(run: Run, { table, rows }: Batch): Promise<void> {
  const columns = Object.entries(movedColumns[table]).map(([name, kind]) => ({
    name,
    type: types[kind.replace("?", "") as keyof typeof types],
  }));
  const names = columns.map(({ name }) => name).join(", ");
  // The claim of a result that has been recorded is asked for only by the worker that has recorded it.
  const into = `INSERT INTO queuectl.${table} (${names}${table === "attempts" ? ", claim" : ""})`;
  const claim = table === "attempts" ? ", 0" : "";
  const stored = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "string" ? storable(value) : value,
      ]),
    )
  );
  if (stored.length === 1) {
    // Perhaps very long, which JSON could make longer still.
    const values = columns.map(({ type }, index) => `$${index + 1}::${type}`).join(", ");
    await run(`${into} VALUES (${values}${claim})`, columns.map(({ name }) => stored[0][name]));
    return;
  }
  const typed = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  await run(
    `${into} SELECT ${names}${claim} FROM json_to_recordset($1::text::json) AS moved (${typed})`,
    [asJson(stored)],
  );
}

async function complete(
  database: Database,
  run: Run,
  move: string,
  { settings, deaths, lastSeq: last }: Rest,
  deathsHere: number,
): Promise<void> {
  // The triggers have counted the dead ones as new deaths.
  await run("UPDATE queuectl.counters SET died = CASE shard WHEN 0 THEN $1::bigint ELSE 0 END", [
    deathsHere + deaths,
  ]);
  const highest = Math.max(last, await lastSeq(database, run));
  if (highest > 0) {
    await run("SELECT setval(pg_get_serial_sequence($1, 'seq')::regclass, $2::bigint)", [
      jobsTable(database),
      highest,
    ]);
  }
  await run("DELETE FROM queuectl.config");
  await run(
    "INSERT INTO queuectl.config (key, value) SELECT key, value FROM json_to_recordset($1::text::json) AS setting (key text, value text)",
    [asJson(settings.map(([key, value]) => ({ key: storable(key), value: storable(value) })))],
  );
  await run("INSERT INTO queuectl.moves (id, direction, place, location) VALUES ($1, 'in', '', '')", [move]);
  const { text: notify, parameters } = notification(database);
  await run(notify, parameters);
}
