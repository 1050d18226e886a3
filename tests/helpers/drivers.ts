/** Every driver, for tests of what a queue does whichever engine is under it. */

import type { OpenDatabase } from "../store/suite/harness.ts";
import { postgresDatabase, postgresPlace, postgresServer } from "./postgres_database.ts";
import { sqliteDatabase, sqlitePlace } from "./sqlite_database.ts";

/** Where a queue is, or is going to be. */
export interface Place {
  /** What `--db` and `QUEUECTL_DB` are given. */
  url: string;
  /** The tables that have been made. */
  tables(): Promise<string[]>;
  /** The invariants hold. */
  assertSound(): Promise<void>;
  /** Runs a statement past the store, in the words that all engines know; gives its rows. */
  query(sql: string): Promise<Array<Record<string, unknown>>>;
  /** Begins a transaction past the store: one that sees what there is now, or one that keeps all writers waiting. */
  begin(mode: "read" | "write"): Promise<Transaction>;
}

/** A transaction that is open until it is ended. */
export interface Transaction {
  query(sql: string): Promise<Array<Record<string, unknown>>>;
  end(how: "COMMIT" | "ROLLBACK"): Promise<void>;
}

export interface Driver {
  name: "sqlite" | "postgres";
  /** There is no server here: its tests are only counted. */
  ignore: boolean;
  /** Makes an empty database whose stores take their time from a clock. */
  open: OpenDatabase;
  /** A place for a new queue; a file is in `folder`, anything else is removed when it is disposed of. */
  place(folder: string, name?: string): Place & AsyncDisposable;
}

const sqlite: Driver = { name: "sqlite", ignore: false, open: sqliteDatabase, place: sqlitePlace };

const postgres: Driver = {
  name: "postgres",
  ignore: postgresServer === undefined,
  open: postgresDatabase,
  place: postgresPlace,
};

export const drivers: readonly Driver[] = [sqlite, postgres];

/** For what is about files alone, and for what is about several hosts. */
export const sqliteAlone: readonly Driver[] = [sqlite];
export const postgresAlone: readonly Driver[] = [postgres];
