import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { statIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import type { TestDatabase } from "../store/suite/harness.ts";
import type { Place } from "./drivers.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** A SQLite database of its own for one test of the store suite; it has to be sound in the end. */
export async function sqliteDatabase(clock: () => number): Promise<TestDatabase> {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const file = `${path}/queue.db`;
  // Runs after the stores are closed, which are disposed of first.
  stack.defer(() => assertSound(file));
  return {
    async connect() {
      return stack.use(await openStore(file, { missing: "create", durable: false, clock }));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A place for a queue in a file of a folder. */
export function sqlitePlace(folder: string, name = "queuectl.db"): Place & AsyncDisposable {
  const url = `${folder}/${name}`;
  return {
    url,
    tables() {
      const rows = statIfThere(url)
        ? queryFile(url, "SELECT name FROM sqlite_schema WHERE type = 'table'")
        : [];
      return Promise.resolve(rows.map(({ name }) => String(name)));
    },
    assertSound: () => Promise.resolve(assertSound(url)),
    query: (sql) => Promise.resolve(queryFile(url, sql)),
    begin(mode) {
      const database = new DatabaseSync(url);
      const query = (sql: string) => Promise.resolve(database.prepare(sql).all().map((row) => ({ ...row })));
      // What a reader sees is decided by its first look.
      database.exec(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN; SELECT count(*) FROM jobs");
      return Promise.resolve({
        query,
        end(how) {
          database.exec(how);
          database.close();
          return Promise.resolve();
        },
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** SQLite finds no damage in the file, and the invariants at the top of schema.ts hold. */
export function assertSound(file: string): void {
  assert.deepEqual(queryFile(file, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
  for (const violation of violations) assert.deepEqual(queryFile(file, violation), [], violation);
}

const violations = [
  "SELECT id FROM jobs WHERE available AND state NOT IN ('pending', 'failed')",
  "SELECT id FROM jobs WHERE available <> (next_attempt_at IS NULL AND held = 0 AND blocked = 0) AND state IN ('pending', 'failed')",
  "SELECT id FROM jobs WHERE next_attempt_at IS NOT NULL AND state NOT IN ('pending', 'failed')",
  "SELECT id FROM jobs WHERE (worker IS NULL) = (state = 'processing')",
  "SELECT name FROM counters WHERE name <> 'died' AND value <> (SELECT count(*) FROM jobs WHERE state = name)",
  "SELECT job FROM attempts WHERE job NOT IN (SELECT seq FROM jobs)",
];

/** The rows of a query on a database file, past the store. */
export function queryFile(file: string, sql: string): Array<Record<string, unknown>> {
  using database = new DatabaseSync(file);
  return database.prepare(sql).all().map((row) => ({ ...row }));
}

/** Runs statements on a database file, past the store. */
export function executeOnFile(file: string, sql: string): void {
  using database = new DatabaseSync(file);
  database.exec(sql);
}
