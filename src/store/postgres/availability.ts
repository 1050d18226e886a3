/** What a worker can expect: a job now, one later, or none any more. */

import type { Availability } from "../queues.ts";
import { number, numberOrNull } from "../rows.ts";
import { clockSql } from "./clock.ts";
import type { Database } from "./connection/database.ts";
import { nextStartSql, placesSql, processingOfAll, processingOfQueue, takenSql } from "./limits.ts";
import { asJson } from "./values.ts";

/**
 * Whether a worker of these queues (null: of all) can claim a job now, and how long until one that waits is due or a rate
 * lets another one start.
 */
export async function availability(
  database: Database,
  queues: readonly string[] | null,
): Promise<Availability> {
  const [[row]] = await database.batch([{
    text: `
      WITH ${clockSql("$1")},
      total AS MATERIALIZED (
        SELECT NOT paused AND (concurrency IS NULL OR concurrency > ${processingOfAll}) AS open
        FROM queuectl.queues WHERE name = ''
      ),
      place AS MATERIALIZED (
        SELECT name, rate, rate_period, concurrency IS NULL OR concurrency > (${processingOfQueue}) AS open,
          concurrency IS NULL AND rate IS NULL OR ${placesSql("1", false)} > 0 AS free
        FROM queuectl.queues, clock
        WHERE (SELECT open FROM total) AND name <> '' AND NOT paused AND ${takenSql("$2::text")}
          AND EXISTS (SELECT 1 FROM queuectl.jobs WHERE available AND queue = name)
      )
      SELECT (SELECT bool_or(free) FROM place) AS ready,
        (SELECT next_attempt_at FROM queuectl.jobs WHERE next_attempt_at IS NOT NULL
          ORDER BY next_attempt_at LIMIT 1) AS due,
        (SELECT min(${nextStartSql}) FROM place WHERE NOT free AND open) AS next_start,
        now
      FROM clock`,
    parameters: [database.now(), queues === null ? null : asJson(queues)],
  }], { readOnly: true });
  const now = number(row, "now");
  // About where it is more than a number can be.
  const due = row.due === null ? null : Number(row.due);
  const times = [due, numberOrNull(row, "next_start")].filter((time) => time !== null);
  return {
    ready: row.ready === true,
    dueIn: times.length > 0 ? Math.max(0, Math.min(...times) - now) : null,
  };
}

/** Whether a worker of these queues (null: of all) has anything to expect while nobody acts. */
export async function isWorkLeft(database: Database, queues: readonly string[] | null): Promise<boolean> {
  const [[row]] = await database.batch([{
    text: `
      WITH taken AS MATERIALIZED (SELECT name, paused FROM queuectl.queues WHERE name <> '' AND ${
      takenSql("$1::text")
    }),
      open AS MATERIALIZED (
        SELECT name FROM taken WHERE NOT paused AND NOT (SELECT paused FROM queuectl.queues WHERE name = '')
      )
      SELECT EXISTS (
          SELECT 1 FROM queuectl.jobs WHERE state = 'processing' AND queue IN (SELECT name FROM taken)
        ) OR EXISTS (
          SELECT 1 FROM open WHERE EXISTS (SELECT 1 FROM queuectl.jobs WHERE available AND queue = name)
        ) OR EXISTS (
          SELECT 1 FROM queuectl.jobs
          WHERE next_attempt_at IS NOT NULL AND NOT held AND blocked = 0 AND queue IN (SELECT name FROM open)
        -- What they wait for may be what runs in a queue of other workers.
        ) OR ${processingOfAll} > 0 AND EXISTS (
          SELECT 1 FROM queuectl.jobs
          WHERE blocked > 0 AND state IN ('pending', 'failed') AND NOT held AND queue IN (SELECT name FROM open)
        ) AS is_left`,
    parameters: [queues === null ? null : asJson(queues)],
  }], { readOnly: true });
  return row.is_left === true;
}
