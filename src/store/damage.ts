/** Rows that cannot be read: the others are, and what is wrong is told by row. */

import { QueuectlError } from "../base/errors.ts";
import { damaged, type Row } from "./columns.ts";

/** Is told of a row that cannot be read, and is left out. */
export type TellDamage = (error: QueuectlError) => void;

/** Reads rows; those that are damaged are told and left out. */
export function readable<T>(rows: readonly Row[], read: (row: Row) => T, tell: TellDamage): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      if (!(error instanceof QueuectlError)) throw error;
      tell(error);
      return [];
    }
  });
}

/** Keys of jobs, without those that no number can be. */
export function soundKeys(keys: number[], tell: TellDamage): number[] {
  if (keys.every(Number.isSafeInteger)) return keys;
  return keys.filter((seq) => Number.isSafeInteger(seq) || void tell(damaged("seq", { seq })));
}

/** So many damaged rows are told of. */
const mostTold = 20;

/** Tells of each damaged row once, and of no more than can be read. */
export function damageTeller(print: (message: string) => void): TellDamage {
  const told = new Set<string>();
  return ({ message }) => {
    if (told.size > mostTold || told.has(message)) return;
    told.add(message);
    print(told.size <= mostTold ? message : `More rows are damaged; "queuectl doctor" counts them`);
  };
}
