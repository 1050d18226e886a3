/**
 * One connection to a SQLite file: transactions, statements and errors.
 *
 * - Every write is one `BEGIN IMMEDIATE` transaction: a deferred one that upgrades its lock can fail with BUSY at once.
 * - A busy database is waited for, without blocking the event loop for long; nobody is shown "database is locked".
 * - While a connection is open nothing in this process may open and close the file: closing any descriptor of a file
 *   drops the process's POSIX locks on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 */

import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { QueuectlError } from "../../base/errors.ts";
import type { TellDamage } from "../damage.ts";
import { beingMoved } from "../errors.ts";
import { sealMark } from "./schema.ts";
import { isTooLarge, prepareWide } from "./wide_statement.ts";

/** A row by the names of its columns; whole numbers are numbers here, and bigints only where no number can be one. */
export type Row = Record<string, SQLOutputValue>;

/** Milliseconds that a statement waits inside SQLite while a database is opened, perhaps by many at once. */
const busyTimeout = 250;
/**
 * Milliseconds for which a busy database is looked at again and again, and between two looks. A transaction of a worker
 * takes a tenth of a millisecond; SQLite's own wait begins with a whole one, and so do timers.
 */
const shortWait = 5;
const shortPause = 0.05;
/** Milliseconds after which a database that stays busy is reported. */
const busyLimit = 120_000;

export interface Database {
  readonly path: string;
  readonly connection: DatabaseSync;
  /** Milliseconds since 1970. */
  now(): number;
  /** Is told of damaged rows that are left out. */
  tellDamage: TellDamage;
  /** The prepared statement for this text, kept for the next time. */
  prepare(sql: string): StatementSync;
  /** Runs `body` in one immediate transaction; rolls back when it throws. `body` runs again after a busy try. */
  write<T>(body: () => T): Promise<T>;
  /** From now on a busy database is waited for by {@link write} and {@link read} alone. */
  opened(): void;
  /** Runs `body` in one read transaction, so that all it reads is of one moment. */
  read<T>(body: () => T): Promise<T>;
  close(): void;
}

/** Opens a connection to an existing file (or `:memory:`). Throws `database`. */
export function connect(
  path: string,
  durable: boolean,
  clock: () => number,
  tellDamage: TellDamage = () => {},
): Database {
  const connection = explained(path, () => new DatabaseSync(path));
  const statements = new Map<string, StatementSync>();
  try {
    explained(path, () => {
      connection.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
      connection.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
      // On macOS a plain fsync leaves the data in the cache of the disk.
      if (durable) connection.exec("PRAGMA fullfsync = ON");
      // What a burst has let the log grow to is given back to the disk.
      connection.exec(`PRAGMA journal_size_limit = ${16 * 1024 ** 2}`);
    });
  } catch (error) {
    // Windows lets nobody remove or replace a file that is open.
    connection.close();
    throw error;
  }

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, statement = explained(path, () => prepareWide(connection, sql)));
    return statement;
  }

  function transaction<T>(begin: string, body: () => T): T {
    prepare(begin).run();
    try {
      const result = body();
      prepare("COMMIT").run();
      return result;
    } catch (error) {
      // Some errors (disk full) have rolled back already.
      if (connection.isTransaction) prepare("ROLLBACK").run();
      throw error;
    }
  }

  return {
    path,
    connection,
    now: clock,
    tellDamage,
    prepare,
    write: (body) => patiently(path, () => transaction("BEGIN IMMEDIATE", body)),
    read: (body) => patiently(path, () => transaction("BEGIN", body)),
    opened: () => explained(path, () => connection.exec("PRAGMA busy_timeout = 0")),
    close() {
      statements.clear();
      connection.close();
    },
  };
}

/** What a short wait waits for. */
const never = new Int32Array(new SharedArrayBuffer(4));

/** Tries `action` until the database is not busy. Throws `database` after two minutes, and for any other failure. */
export async function patiently<T>(path: string, action: () => T): Promise<T> {
  const giveUpAt = performance.now() + busyLimit;
  const waitShortlyUntil = performance.now() + shortWait;
  const startedAt = performance.now();
  // Whoever changes many jobs lets others in for moments only, but often.
  const longest = () => performance.now() - startedAt < 1000 ? 10 : 50;
  for (let pause = 1;; pause = Math.min(pause * 2, longest())) {
    try {
      return action();
    } catch (error) {
      const now = performance.now();
      if (!isBusy(error) || now > giveUpAt) throw databaseError(path, error);
      if (now < waitShortlyUntil) {
        Atomics.wait(never, 0, 0, shortPause);
        continue;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pause));
    }
  }
}

const isBusy = (error: unknown) => isReported(error, /database (table |schema )?is locked/);

/** Whether there was no room for it, or may not have been: SQLite cannot always tell. */
export const isFull = (error: unknown): boolean => isReported(error, /disk is full|disk I\/O error/);

function isReported(error: unknown, text: RegExp): boolean {
  const reported = error instanceof QueuectlError ? error.cause : error;
  return reported instanceof Error && text.test(reported.message);
}

/** Runs `action`; throws what SQLite reports as an error that the user understands. */
export function explained<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw databaseError(path, error);
  }
}

// node:sqlite gives no result codes here, only SQLite's own fixed English texts (sqlite3.c, sqlite3ErrStr).
const explanations: Array<[RegExp, string]> = [
  [/is locked/, "is busy: another program has held it locked for minutes"],
  [/file is not a database/, "is not a SQLite database"],
  [
    /disk image is malformed|malformed database schema/,
    "is damaged; restore it from a backup, or save what can be read with `sqlite3 FILE .recover`",
  ],
  [/database or disk is full/, "cannot grow: the disk is full"],
  [/readonly database/, "cannot be written: the file or its folder is read-only"],
  [
    /unable to open database file/,
    "cannot be opened; check that its folder exists and that you may read and write both",
  ],
  [
    /disk I\/O error/,
    "cannot be read or written: its disk is full or reports an error, or its files may not grow (ulimit -f)",
  ],
];

/** The error of kind `database` for what SQLite reported; errors of ours, and bugs, pass unchanged. */
export function databaseError(path: string, error: unknown): unknown {
  if (error instanceof QueuectlError || !(error instanceof Error)) return error;
  if (error.message.startsWith(sealMark)) return beingMoved(path, error.message.slice(sealMark.length));
  for (const [pattern, explanation] of explanations) {
    if (pattern.test(error.message)) {
      return new QueuectlError("database", `The database ${path} ${explanation}`, { cause: error });
    }
  }
  // All our statements are tested: what SQLite finds wrong with one is wrong with the file.
  if ((error as { code?: unknown }).code === "ERR_SQLITE_ERROR" || isTooLarge(error)) {
    const explanation = `is damaged, or another program has changed it (${
      error.message.replaceAll(/\s+/g, " ")
    })`;
    return new QueuectlError("database", `The database ${path} ${explanation}; "queuectl doctor" says more`, {
      cause: error,
    });
  }
  return error;
}
