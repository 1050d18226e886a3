/** Statements that also read what no number can be. */

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";

type Row = Record<string, SQLOutputValue>;

/**
 * A statement that also reads whole numbers which no number can be (over 2^53), as bigints: node:sqlite throws for the
 * first of them, and from `iterate` gives nothing more, without a word. A statement that changes something is not run
 * again for it: that one throws.
 */
export function prepareWide(connection: DatabaseSync, sql: string): StatementSync {
  const statement = connection.prepare(sql);
  if (!/^\s*(SELECT|WITH|PRAGMA)\b/.test(sql) || /\b(INSERT|UPDATE|DELETE)\b/.test(sql)) return statement;
  const get = statement.get.bind(statement) as (...parameters: SQLInputValue[]) => Row | undefined;
  const all = statement.all.bind(statement) as (...parameters: SQLInputValue[]) => Row[];
  function either<T>(read: () => T, narrowed: (result: T) => T): T {
    try {
      return read();
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      statement.setReadBigInts(true);
      try {
        return narrowed(read());
      } finally {
        statement.setReadBigInts(false);
      }
    }
  }
  statement.get = (...parameters: unknown[]) =>
    either(() => get(...parameters as SQLInputValue[]), (row) => row && narrow(row));
  statement.all = (...parameters: unknown[]) =>
    either(() => all(...parameters as SQLInputValue[]), (rows) => rows.map(narrow));
  statement.iterate = function* (...parameters: unknown[]) {
    const wide = connection.prepare(sql);
    wide.setReadBigInts(true);
    for (const row of wide.iterate(...parameters as SQLInputValue[])) yield narrow(row);
  } as StatementSync["iterate"];
  return statement;
}

/** Whether an error is that of a whole number which no number can be. */
export const isTooLarge = (error: unknown): boolean =>
  (error as { code?: unknown }).code === "ERR_OUT_OF_RANGE";

/** The row, with numbers for all bigints that can be ones. */
function narrow<Some extends Row>(row: Some): Some {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) Object.assign(row, { [column]: number });
  }
  return row;
}
