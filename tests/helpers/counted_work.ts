/** What a transaction does, counted: for tests that an act does no more than it has to, whatever the machine is doing. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { connect } from "../../src/store/sqlite/database.ts";
import type { Database as SqliteDatabase } from "../../src/store/sqlite/database.ts";
import type {
  Database as PostgresDatabase,
  Statement,
} from "../../src/store/postgres/connection/database.ts";

export interface Work {
  statements: number;
  /** Rows: on SQLite those that statements give, on PostgreSQL those that the server has read and written for them. */
  rows: number;
}

/** A database of SQLite that counts; `scans` are tables that were read from one end to the other, of those named. */
export function countingSqlite(
  path: string,
  tables: readonly string[],
): { database: SqliteDatabase; work: Work; scans: Set<string> } {
  const database = connect(path, false, Date.now);
  const work = { statements: 0, rows: 0 };
  const scans = new Set<string>();
  const scan = new RegExp(`^SCAN (${tables.join("|")})\\b(?! VIRTUAL)`);

  function counting(statement: StatementSync, sql: string): StatementSync {
    return new Proxy(statement, {
      get(target, name: keyof StatementSync) {
        if (!["get", "all", "run", "iterate"].includes(name)) return target[name];
        return (...parameters: never[]) => {
          work.statements++;
          if (/^\s*(SELECT|WITH|UPDATE|INSERT|DELETE)/.test(sql)) note(sql);
          const result = (target[name] as (...parameters: never[]) => unknown)(...parameters);
          work.rows += Array.isArray(result) ? result.length : 0;
          return result;
        };
      },
    });
  }

  const seen = new Set<string>();
  function note(sql: string): void {
    if (seen.has(sql)) return;
    seen.add(sql);
    for (const { detail } of database.connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()) {
      if (scan.test(String(detail))) scans.add(`${detail}: ${sql}`);
    }
  }

  const connection = new Proxy(database.connection, {
    get(target, name: keyof DatabaseSync) {
      if (name === "prepare") return (sql: string) => counting(target.prepare(sql), sql);
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    database: { ...database, connection, prepare: (sql) => counting(database.prepare(sql), sql) },
    work,
    scans,
  };
}

/** The same on PostgreSQL, whose server counts the rows of each transaction itself, those of functions too. */
export function countingPostgres(database: PostgresDatabase): { database: PostgresDatabase; work: Work } {
  const work = { statements: 0, rows: 0 };
  // It also counts what earlier transactions of the session have done that the server has not summed up yet.
  const visited: Statement = {
    text:
      `SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del), 0) AS rows
      FROM pg_stat_xact_user_tables`,
  };
  return {
    work,
    database: {
      ...database,
      async batch(statements, effort) {
        const [before, ...answers] = await database.batch([visited, ...statements, visited], effort);
        work.statements += statements.length;
        work.rows += Number(answers.pop()![0].rows) - Number(before[0].rows);
        return answers;
      },
      transaction: (body, effort) =>
        database.transaction(async (run, again) => {
          const [before] = await run(visited.text);
          const result = await body((text, parameters) => {
            work.statements++;
            return run(text, parameters);
          }, again);
          const [after] = await run(visited.text);
          work.rows += Number(after.rows) - Number(before.rows);
          return result;
        }, effort),
    },
  };
}
