/**
 * The values of a row. Each column that is read goes through one of these checks, whichever driver it comes from: what is
 * not of its type can only come from a damaged database, or from another program that has changed it. SQLite gives whole
 * numbers that no number can be as bigints, which are of no column's type.
 */

import { QueuectlError } from "../base/errors.ts";

/** A row by the names of its columns; whole numbers are numbers. */
export type Row = Record<string, unknown>;

/** Texts that this program has stored as JSON; null where there is nothing. */
export function textsOrNull(row: Row, column: string): string[] | null {
  const json = textOrNull(row, column);
  if (json === null) return null;
  try {
    const texts = JSON.parse(json);
    if (Array.isArray(texts) && texts.every((text) => typeof text === "string")) return texts;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged(column, row);
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw damaged(column, row);
  return value;
}

/** A whole number. */
export function number(row: Row, column: string): number {
  const value = row[column];
  if (!Number.isSafeInteger(value)) throw damaged(column, row);
  return value as number;
}

/** The most milliseconds before and after 1970 that a time can be (ECMA-262, 21.4.1.1). */
const mostTime = 8.64e15;

/** A time that can be written as a date. */
export function moment(row: Row, column: string): number {
  const value = number(row, column);
  if (Math.abs(value) > mostTime) throw damaged(column, row);
  return value;
}

export const textOrNull = (row: Row, column: string) => row[column] === null ? null : text(row, column);

export const numberOrNull = (row: Row, column: string) => row[column] === null ? null : number(row, column);

export const momentOrNull = (row: Row, column: string) => row[column] === null ? null : moment(row, column);

/** A number, whole or not. */
export function realOrNull(row: Row, column: string): number | null {
  const value = row[column];
  if (value !== null && !Number.isFinite(value)) throw damaged(column, row);
  return value as number | null;
}

/** One of these words. */
export function oneOf<Word extends string>(row: Row, column: string, words: readonly Word[]): Word {
  const value = row[column];
  if (!words.includes(value as Word)) throw damaged(column, row);
  return value as Word;
}

/** What to throw where no value, or none of its kind, is in a column. */
export function damaged(column: string, row: Row = {}): QueuectlError {
  return new QueuectlError(
    "database",
    `The database is damaged: there is no valid value in "${column}"${
      owner(row)
    }; "queuectl doctor" says more`,
  );
}

/** Whose a row is, in words. */
function owner({ id, seq, key, name }: Row): string {
  if (typeof id === "string") return ` of job "${id}"`;
  if (seq !== undefined && seq !== null) return ` of the job with the key ${seq}`;
  if (typeof id === "number") return ` of process ${id}`;
  if (typeof key === "string") return ` of setting "${key}"`;
  return typeof name === "string" ? ` of "${name}"` : "";
}
