/** What a worker can expect: a job now, one later, or none any more. */

import { allQueues, type Availability } from "../queues.ts";
import { limitsOf, placesOf, processingOf, queuesWithWork, rateDelay } from "./claimable.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { blocked, claimable } from "./schema.ts";

/**
 * Whether a worker of these queues (null: of all) can claim a job now, and how long until one that waits is due or a rate
 * lets another one start.
 */
export async function availability(
  database: Database,
  queues: readonly string[] | null,
): Promise<Availability> {
  return await database.read(() => {
    const now = database.now();
    const row = database.prepare(
      "SELECT min(next_attempt_at) AS due FROM jobs WHERE next_attempt_at IS NOT NULL",
    ).get()!;
    // About where it is more than a number can be.
    const due = row.due === null ? null : Number(row.due);
    const waits = due === null ? [] : [Math.max(0, due - now)];
    const answer = (ready: boolean) => ({ ready, dueIn: waits.length > 0 ? Math.min(...waits) : null });
    const limits = limitsOf(database);
    if (limits.size === 0 && queues === null) {
      return answer(database.prepare(`SELECT 1 FROM jobs WHERE ${claimable} LIMIT 1`).get() !== undefined);
    }
    if (placesOf(database, limits.get(allQueues), allQueues, now) === 0) return answer(false);
    const hasWork = database.prepare(`SELECT 1 FROM jobs WHERE ${claimable} AND queue = ? LIMIT 1`);
    let ready = false;
    for (const queue of queues?.filter((queue) => hasWork.get(queue)) ?? queuesWithWork(database)) {
      const limit = limits.get(queue);
      if (placesOf(database, limit, queue, now) > 0) ready = true;
      else if (!limit!.paused) {
        const wait = rateDelay(database, limit!, queue, now);
        if (wait !== null) waits.push(wait);
      }
    }
    return answer(ready);
  });
}

/** Whether a worker of these queues (null: of all) has anything to expect while nobody acts. */
export async function isWorkLeft(database: Database, queues: readonly string[] | null): Promise<boolean> {
  return await database.read(() => {
    const { pending, processing, failed } = readCounters(database);
    if (pending + processing + failed === 0) return false;
    const runs = queues === null ? processing > 0 : queues.some((queue) => processingOf(database, queue) > 0);
    if (runs) return true;
    const limits = limitsOf(database);
    if (limits.get(allQueues)?.paused) return false;
    const isOpen = (queue: string) => !limits.get(queue)?.paused && (queues?.includes(queue) ?? true);
    if (queuesWithWork(database).some(isOpen)) return true;
    const open = `held = 0 AND queue NOT IN (SELECT name FROM queues WHERE paused = 1)
      AND (?1 IS NULL OR queue IN (SELECT value FROM json_each(?1)))`;
    const isThere = (condition: string) =>
      database.prepare(`SELECT 1 FROM jobs WHERE ${condition} AND ${open} LIMIT 1`)
        .get(queues === null ? null : JSON.stringify(queues)) !== undefined;
    return isThere("next_attempt_at IS NOT NULL AND blocked = 0") ||
      // What they wait for may be what runs in a queue of other workers.
      processing > 0 && isThere(blocked);
  });
}
