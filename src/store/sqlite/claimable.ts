/** The jobs that are claimed next: the first of every queue, by their priority and age. */

import { number, type Row, text } from "../rows.ts";
import type { Database } from "./database.ts";
import { claimable } from "./schema.ts";

/**
 * The first jobs that may be claimed, highest priority first, oldest first. `columns` has to name `seq` and `priority`.
 * Read inside a transaction.
 */
export function firstClaimable(database: Database, limit: number, columns: string): Row[] {
  // A limit that is nothing but a parameter makes SQLite prepare the statement anew for each value.
  const first = database.prepare(`
    SELECT ${columns} FROM jobs WHERE ${claimable} AND queue = ? ORDER BY priority DESC, seq LIMIT ? + 0`);
  const queues = queuesWithWork(database);
  const rows: Row[] = queues.flatMap((queue) => first.all(queue, limit));
  if (queues.length < 2) return rows;
  return rows
    .sort((a, b) => number(b, "priority") - number(a, "priority") || number(a, "seq") - number(b, "seq"))
    .slice(0, limit);
}

/** The queues with jobs that may be claimed: a look at the index for each, however many jobs they have. */
function queuesWithWork(database: Database): string[] {
  const next = database.prepare(
    `SELECT queue FROM jobs WHERE ${claimable} AND queue > ? ORDER BY queue LIMIT 1`,
  );
  const queues: string[] = [];
  for (let row = next.get(""); row !== undefined; row = next.get(queues.at(-1)!)) {
    queues.push(text(row, "queue"));
  }
  return queues;
}
