/**
 * When jobs changed last, by parts of 1024 keys: so that those which changed last of all are found without reading all
 * jobs, for a row in a thousand. An index on the time would take a quarter of what claims and results cost.
 */

import type { Database } from "./database.ts";

/** Bits of a key that do not tell its part. */
const bits = 10;

/** To so many milliseconds times are rounded up: most transactions find theirs noted already, and write nothing. */
const grain = 10_000;

/** What is read for the jobs of `:parts`, a list in JSON; the condition goes with it. */
export const changedParts = {
  from: `recency CROSS JOIN jobs ON jobs.seq BETWEEN part << ${bits} AND (part + 1 << ${bits}) - 1`,
  condition: "recency.part IN (SELECT value FROM json_each(:parts))",
};

/** Holds for the parts of keys, which SQL reads. */
export const isPartOf = (keys: string): string => `part IN (SELECT seq >> ${bits} FROM (${keys}))`;

/** Rows of `recency` as they have to be. */
export const recencyOfJobs =
  `SELECT seq >> ${bits} AS part, max(max(created_at, updated_at)) AS at FROM jobs GROUP BY part`;

/**
 * An SQL expression for a key from which on jobs may have come at `time` or later, by one for a key before: whole parts of
 * which none did are told apart.
 */
export const firstKeyOfAge = (first: string, time: string): string =>
  `(
  SELECT max(first, coalesce((
    SELECT min(part) << ${bits} FROM recency WHERE part >= first >> ${bits} AND at >= ${time}
  ), ${Number.MAX_SAFE_INTEGER})) FROM (SELECT ${first} AS first)
)`;

/** Notes that jobs with these keys changed at a time, or came then; in the transaction in which they did. */
export function noteChanges(database: Database, keys: Iterable<number>, at: number): void {
  const parts = new Set<number>();
  for (const key of keys) parts.add(partOf(key));
  for (const part of parts) note(database, part, at);
}

/** Notes that all jobs from one key to another came at a time. */
export function noteArrivals(database: Database, from: number, to: number, at: number): void {
  for (let part = partOf(from); part <= partOf(to); part++) note(database, part, at);
}

const partOf = (key: number) => Math.floor(key / 2 ** bits);

// A clock may have been set back.
function note(database: Database, part: number, time: number): void {
  const at = Math.ceil(time / grain) * grain;
  database.prepare(`
    INSERT INTO recency (part, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at > at`)
    .run(part, at);
}
