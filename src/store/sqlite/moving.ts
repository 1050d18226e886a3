/**
 * Moving a whole queue out of a SQLite file, or into one. Between BEGIN and COMMIT there are pauses here, in which the
 * other store is written: nothing else may be done on this connection meanwhile.
 *
 * A queue that is being moved is sealed by triggers, which refuse every change: so they cost nothing while there are
 * none, and also bind processes that have the file open already.
 */

import { failpoint } from "../../failpoint.ts";
import type { JobState } from "../../job/job.ts";
import type { Arrival, Batch, Departure, Move, MovedTable, Moving, Rest } from "../moving.ts";
import { createBatcher, lengthOf, movedColumns, movedRow } from "../moving.ts";
import { beingMoved } from "../refusals.ts";
import { number, type Row, text } from "../rows.ts";
import { openTally, readCounters, type Tally } from "./counters.ts";
import { type Database, explained, patiently } from "./database.ts";
import { listProcesses } from "./processes.ts";
import { sealMark } from "./schema.ts";
import { settings } from "./settings.ts";

/** Both ends of a move on one file. */
export function movingOn(database: Database): Moving {
  return {
    place: () =>
      Promise.resolve({ name: Deno.realPathSync(database.path), present: presentPlace(database.path) }),
    begun: () => database.read(() => readBegun(database)),
    // With the lock for writing: whoever has it may be about to commit the move.
    hasArrived: (move) =>
      database.write(() =>
        database.prepare("SELECT 1 FROM moves WHERE id = ? AND direction = 'in'").get(move) !== undefined
      ),
    depart: () => depart(database),
    arrive: () => arrive(database),
    stay: (move) => ifBegun(database, move, () => {}),
    empty: (move) => ifBegun(database, move, () => empty(database)),
  };
}

/** The file itself where the system has a number for it: a link is another name of the same file. */
function presentPlace(path: string): string {
  const { dev, ino } = Deno.statSync(path);
  return ino === null ? `file ${Deno.realPathSync(path).toLowerCase()}` : `file ${dev}:${ino}`;
}

function readBegun(database: Database): Move | null {
  const row = database.prepare("SELECT id, place, location FROM moves WHERE direction = 'out'").get();
  return row === undefined
    ? null
    : { id: text(row, "id"), place: text(row, "place"), location: text(row, "location") };
}

/** A transaction that is left open while others are waited for. */
interface Lock extends AsyncDisposable {
  commit(): void;
}

/**
 * Locks the file for all other writers. `build` gets the connection, whose reads and writes are parts of this
 * transaction; when it throws, the lock is given back. Throws `conflict` where the queue is being moved.
 */
async function lock<T>(
  whole: Database,
  build: (database: Database, lock: Lock) => Promise<T>,
): Promise<T> {
  const { path, connection } = whole;
  await patiently(path, () => connection.exec("BEGIN IMMEDIATE"));
  const rollBack = () => {
    // Some errors (disk full) have done that already.
    if (connection.isTransaction) connection.exec("ROLLBACK");
    return Promise.resolve();
  };
  // A promise in any case: what it throws too.
  const inside = async <T>(body: () => T) => await explained(path, body);
  try {
    const database = { ...whole, read: inside, write: inside };
    const begun = readBegun(database);
    if (begun) throw beingMoved(path, begun.location);
    return await build(database, {
      commit: () => explained(path, () => connection.exec("COMMIT")),
      [Symbol.asyncDispose]: rollBack,
    });
  } catch (error) {
    await rollBack();
    throw error;
  }
}

const depart = (whole: Database): Promise<Departure> =>
  lock(whole, async (database, lock) => ({
    processes: await listProcesses(database),
    jobs: count(database, "jobs"),
    processing: count(database, "jobs WHERE state = 'processing'"),
    rest: {
      settings: await settings(database),
      deaths: readCounters(database).died,
      lastSeq: lastSeq(database),
    },
    async *batches() {
      yield* batchesOf(database, "jobs", "seq");
      yield* batchesOf(database, "attempts", "job, run");
    },
    async seal({ id, place, location }) {
      await database.write(() => {
        database.prepare("INSERT INTO moves (id, direction, place, location) VALUES (?, 'out', ?, ?)")
          .run(id, place, location);
        for (const trigger of sealTriggers(location)) database.connection.exec(trigger);
      });
      lock.commit();
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }));

const count = (database: Database, what: string): number =>
  explained(database.path, () => number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()!, "n"));

const lastSeq = (database: Database): number => {
  const row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").get();
  return row === undefined ? 0 : number(row, "seq");
};

async function* batchesOf(database: Database, table: MovedTable, order: string): AsyncGenerator<Batch> {
  const batcher = createBatcher<Row>();
  const columns = Object.keys(movedColumns[table]).join(", ");
  const rows = explained(
    database.path,
    () => database.connection.prepare(`SELECT ${columns} FROM ${table} ORDER BY ${order}`).iterate(),
  );
  try {
    for (;;) {
      const next = explained(database.path, () => rows.next());
      if (next.done) break;
      const read: Row = next.value;
      if (table === "jobs") read.available = read.available === 1;
      const row = movedRow(table, read, database.path);
      const complete = batcher.add(row, lengthOf(row));
      if (complete) yield { table, rows: complete };
    }
  } finally {
    rows.return?.();
  }
  const rest = batcher.rest();
  if (rest) yield { table, rows: rest };
}

const sealed = ["jobs", "attempts", "processes", "config"];
const changes = ["INSERT", "UPDATE", "DELETE"];
const sealName = (table: string, change: string) => `moving_${table}_${change.toLowerCase()}`;

/** What makes every change fail, with the place to which the queue moves; database.ts has the words. */
function sealTriggers(location: string): string[] {
  const message = `${sealMark}${location}`.replaceAll("'", "''");
  return sealed.flatMap((table) =>
    changes.map((change) =>
      `CREATE TRIGGER ${sealName(table, change)} BEFORE ${change} ON ${table}
       BEGIN SELECT RAISE(ABORT, '${message}'); END`
    )
  );
}

/** Ends the move that was begun in this file, when it is this one: the seal goes, and what `body` takes away. */
async function ifBegun(database: Database, move: string, body: () => void): Promise<void> {
  await database.write(() => {
    if (readBegun(database)?.id !== move) return;
    for (const table of sealed) {
      for (const change of changes) database.connection.exec(`DROP TRIGGER ${sealName(table, change)}`);
    }
    body();
    database.prepare("DELETE FROM moves WHERE id = ?").run(move);
  });
}

function empty(database: Database): void {
  // The processes are gone; one that was only silent finds that it is not known any more.
  for (const table of sealed) database.connection.exec(`DELETE FROM ${table}`);
  database.connection.exec("UPDATE counters SET value = 0");
  failpoint("emptying");
}

const arrive = (whole: Database): Promise<Arrival> =>
  lock(whole, async (database, lock) => {
    const tally = openTally(database);
    const statements = {
      jobs: insertStatement(database, "jobs"),
      attempts: insertStatement(database, "attempts"),
    };
    return {
      processes: await listProcesses(database),
      jobs: count(database, "jobs"),
      add: ({ table, rows }) =>
        database.write(() => {
          for (const row of rows) {
            statements[table].run(...valuesOf(table, row));
            if (table === "jobs") tally.move(null, row.state as JobState);
          }
        }),
      complete: (move, rest) => database.write(() => complete(database, tally, move, rest)),
      // deno-lint-ignore require-await -- what it throws is to be the promise's
      commit: async () => lock.commit(),
      [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
    };
  });

function complete(
  database: Database,
  tally: Tally,
  move: string,
  { settings, deaths, lastSeq: last }: Rest,
): void {
  tally.write();
  database.prepare("UPDATE counters SET value = value + ? WHERE name = 'died'").run(deaths);
  const highest = Math.max(last, lastSeq(database));
  database.connection.exec("DELETE FROM sqlite_sequence WHERE name = 'jobs'");
  database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)").run(highest);
  database.connection.exec("DELETE FROM config");
  const insert = database.prepare("INSERT INTO config (key, value) VALUES (?, ?)");
  for (const setting of settings) insert.run(...setting);
  database.prepare("INSERT INTO moves (id, direction, place, location) VALUES (?, 'in', '', '')").run(move);
}

/** The columns that move, and what this schema derives from the state. */
function insertStatement(database: Database, table: MovedTable) {
  const columns = [...Object.keys(movedColumns[table]), ...table === "jobs" ? ["set_aside"] : []];
  return database.prepare(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
}

function valuesOf(table: MovedTable, row: Row): Array<string | number | null> {
  const values = Object.keys(movedColumns[table]).map((column) => {
    const value = row[column];
    return typeof value === "boolean" ? Number(value) : value as string | number | null;
  });
  const isSetAside = row.state === "dead" || row.state === "cancelled";
  return table === "jobs" ? [...values, isSetAside ? 1 : null] : values;
}
