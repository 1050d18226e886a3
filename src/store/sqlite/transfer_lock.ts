/**
 * What keeps others from changing a queue while it moves: the lock for writing, in a transaction with pauses, in which the
 * other store is read or written (nothing else may be done on this connection meanwhile); then the seal.
 *
 * The seal is made of triggers, which refuse every change: so it costs nothing while there is none, and also binds
 * processes that have the file open already.
 */

import type { Move } from "../transfer_types.ts";
import { beingMoved } from "../errors.ts";
import { number, text } from "../rows.ts";
import { type Database, explained, patiently } from "./database.ts";
import { sealMark } from "./schema.ts";

/** The move that was begun in this file; read inside a transaction. */
export function readBegun(database: Database): Move | null {
  const row = database.prepare("SELECT id, place, location FROM moves WHERE direction = 'out'").get();
  return row === undefined
    ? null
    : { id: text(row, "id"), place: text(row, "place"), location: text(row, "location") };
}

/** A transaction that is left open while others are waited for. */
export interface Lock extends AsyncDisposable {
  commit(): void;
}

/**
 * Locks the file for all other writers. `build` gets the connection, whose reads and writes are parts of this
 * transaction; when it throws, the lock is given back. Throws `conflict` where the queue is being moved.
 */
export async function lock<T>(
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

/** The number of rows; read inside a transaction. */
export const count = (database: Database, what: string): number =>
  explained(database.path, () => number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()!, "n"));

/** The tables that move, or say who works on the queue. */
export const sealed = [
  "jobs",
  "attempts",
  "processes",
  "config",
  "queues",
  "starts",
  "tags",
  "dependencies",
  "signals",
];
const changes = ["INSERT", "UPDATE", "DELETE"];
const sealName = (table: string, change: string) => `moving_${table}_${change.toLowerCase()}`;

/** What makes every change fail, with the place to which the queue moves; database.ts has the words. */
export function sealStatements(location: string): string[] {
  const message = `${sealMark}${location}`.replaceAll("'", "''");
  return sealed.flatMap((table) =>
    changes.map((change) =>
      `CREATE TRIGGER ${sealName(table, change)} BEFORE ${change} ON ${table}
       BEGIN SELECT RAISE(ABORT, '${message}'); END`
    )
  );
}

/** Takes it away; a step of the schema may have made a table anew. */
export const unsealStatements = sealed.flatMap((table) =>
  changes.map((change) => `DROP TRIGGER IF EXISTS ${sealName(table, change)}`)
);
