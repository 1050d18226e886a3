/** Between which keys the jobs are that a filter asks for by their ages. */

import { clockTolerance, firstKeySince, type JobFilter, type Moment } from "../selection.ts";
import { number } from "../rows.ts";
import type { Database } from "./database.ts";
import { firstKeyOfAge } from "./recency.ts";

/** All others are too old, or too young. Without a bound where a filter asks for none. */
export function keysOfAges(
  database: Database,
  { createdSince, unchangedSince }: JobFilter,
): { first: number; last: number } {
  const key = (moment: Moment, sql: string) => {
    const time = "at" in moment ? moment.at : database.now() - moment.ago;
    return number(database.prepare(`SELECT ${sql} AS key`).get({ time })!, "key");
  };
  return {
    first: createdSince === undefined ? 0 : key(createdSince, keySince(":time")),
    last: unchangedSince === undefined
      ? Infinity
      : key(unchangedSince, firstKeySince("jobs", `:time + ${clockTolerance}`)) - 1,
  };
}

/** An SQL expression for the first key of jobs that may have come at a time or later. */
export const keySince = (time: string): string =>
  firstKeyOfAge(firstKeySince("jobs", `${time} - ${clockTolerance}`), time);
