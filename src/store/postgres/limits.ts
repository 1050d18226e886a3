/** Limits of queues in statements: who may start how many jobs. */

import { grains } from "../queues.ts";
import { timeSql } from "./clock.ts";
import type { Database, Statement } from "./database.ts";

/** The most jobs that one exchange makes available: when more are due at once, the next one goes on. */
export const promotionLimit = 5000;

/** Holds for the rows of queues that a worker takes, by its `queues`: a JSON list, or null for all. */
export const takenSql = (queues: string): string =>
  `(${queues} IS NULL OR name IN (SELECT json_array_elements_text(${queues}::json)))`;

/** Holds for the rows of queues that have a limit. */
const limited = "(concurrency IS NOT NULL OR rate IS NOT NULL)";

/** To so many milliseconds times of starts are rounded up, so that few rows are to be counted however high a rate is. */
export const grain = `greatest(1, rate_period / ${grains})`;

/** The number of jobs that run: of all queues together, and of the queue in a row of queues. */
export const processingOfAll = "(SELECT sum(processing) FROM queuectl.counters)";
export const processingOfQueue = `CASE name
  WHEN 'default' THEN ${processingOfAll} - coalesce((SELECT sum(processing) FROM queuectl.queue_counters), 0)
  ELSE coalesce((SELECT sum(processing) FROM queuectl.queue_counters WHERE queue = name), 0) END`;

/**
 * How many jobs of the queue in a row of queues may be started by its limits, at most `want`; `clock` has to be there.
 * Starts in the future, where a clock was set back, count only where they are said to.
 */
export const placesSql = (want: string, future: boolean): string =>
  `greatest(0, least(${want}, CASE WHEN concurrency IS NOT NULL THEN concurrency - (${processingOfQueue}) END,
    CASE WHEN rate IS NOT NULL THEN rate - coalesce((SELECT sum(jobs) FROM queuectl.starts
      WHERE starts.queue = name AND at > now - rate_period${
    future ? "" : ` AND at <= now + ${grain}`
  }), 0) END))::bigint`;

/**
 * When the rate of the queue in a row of queues lets another job start, where it does not now: after the start that has
 * to be left behind, so that fewer than the rate are within the period; `clock` has to be there.
 */
export const nextStartSql = `(rate_period + (
  SELECT at FROM (
    SELECT at, sum(jobs) OVER (ORDER BY at DESC) AS jobs FROM queuectl.starts
    WHERE queue = name AND at > now - rate_period AND at <= now + ${grain}
  ) AS since WHERE jobs >= rate ORDER BY at DESC LIMIT 1
))`;

/** A setting of the transaction that has the names of the limited queues it may count. */
const setting = "queuectl_claim.locked";

/** Holds for the rows of limited queues that {@link lockQueuesStatement} has locked. */
export const lockedSql = `name = ANY(nullif(current_setting('${setting}', true), '')::text[])`;

/**
 * Locks the limited queues of which a worker may claim something next, until its transaction ends: the statement that
 * claims, which has a younger snapshot, then counts all that others have started. Others are not waited for. Before
 * anything else that is locked but the worker itself, and in one order: two of these never wait for each other both.
 */
export function lockQueuesStatement(
  database: Database,
  worker: number,
  finished: readonly { seq: number }[],
): Statement {
  return {
    text: `
      WITH own AS MATERIALIZED (SELECT queues FROM queuectl.processes WHERE id = $1),
      -- What becomes available before the claim.
      soon AS MATERIALIZED (
        SELECT queue FROM queuectl.jobs WHERE seq = ANY($2::bigint[])
        UNION ALL SELECT child.queue FROM queuectl.dependencies AS edge
          CROSS JOIN LATERAL (SELECT queue FROM queuectl.jobs WHERE seq = edge.child OFFSET 0) AS child
          WHERE edge.parent = ANY($2::bigint[]) AND edge.open
        UNION ALL (SELECT queue FROM queuectl.jobs
          WHERE next_attempt_at <= ${timeSql("$3")}
          ORDER BY next_attempt_at LIMIT ${promotionLimit})
      ),
      locked AS MATERIALIZED (
        SELECT name FROM queuectl.queues
        WHERE ${limited} AND (name = '' OR NOT paused AND ${takenSql("(SELECT queues FROM own)")} AND (
          EXISTS (SELECT 1 FROM queuectl.jobs WHERE available AND queue = name)
          OR name IN (SELECT queue FROM soon)
        ))
        ORDER BY name FOR NO KEY UPDATE
      )
      SELECT set_config('${setting}', coalesce(array_agg(name), '{}')::text, true) FROM locked`,
    parameters: [worker, `{${finished.map(({ seq }) => seq).join(",")}}`, database.now()],
  };
}
