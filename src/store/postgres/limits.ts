/** Limits of queues in statements: who may start how many jobs. */

import { grains } from "../queues.ts";
import type { BegunRun } from "../store.ts";
import { clockSql, timeSql } from "./clock.ts";
import type { Database, Statement } from "./connection/database.ts";

/** The most jobs that one exchange makes available: when more are due at once, the next one goes on. */
export const promotionLimit = 5000;

/** Holds for the rows of queues that a worker takes, by its `queues`: a JSON list, or null for all. */
export const takenSql = (queues: string): string =>
  `(${queues} IS NULL OR name IN (SELECT json_array_elements_text(${queues}::json)))`;

/** Holds for the rows of queues that have a limit. */
const limited = "(concurrency IS NOT NULL OR rate IS NOT NULL)";

/** To so many milliseconds times of starts are rounded up, so that few rows are to be counted however high a rate is. */
export const grain = `greatest(1, rate_period / ${grains})`;

/** The time of a start that is now, in a row of queues. */
export const begunNow = `(now + ${grain} - 1) / ${grain} * ${grain}`;

/** Holds for a row of starts that waits for a run to begin where that run goes on. */
export const goesOn = "coalesce((SELECT state = 'processing' FROM queuectl.jobs WHERE seq = -at), false)";

/** Holds for the starts that a rate counts: those within the period, not in the future. */
const isRecent = `at > now - rate_period AND at <= now + ${grain}`;

/** The number of jobs that run: of all queues together, and of the queue in a row of queues. */
export const processingOfAll = "(SELECT sum(processing)::bigint FROM queuectl.counters)";
export const processingOfQueue = `CASE name
  WHEN 'default' THEN ${processingOfAll} - coalesce((SELECT sum(processing)::bigint FROM queuectl.queue_counters), 0)
  ELSE coalesce((SELECT sum(processing)::bigint FROM queuectl.queue_counters WHERE queue = name), 0) END`;

/**
 * How many jobs of the queue in a row of queues may be started by its limits, at most `want`; `clock` has to be there.
 * Those that a claim counts as now (starts in the future, where a clock was set back, and runs that do not go on, of which
 * nobody has told that they have begun) count only with `aside`.
 */
export const placesSql = (want: string, aside: boolean): string =>
  `greatest(0, least(${want}, CASE WHEN concurrency IS NOT NULL THEN concurrency - (${processingOfQueue}) END,
    CASE WHEN rate IS NOT NULL THEN rate - coalesce((SELECT sum(jobs) FROM queuectl.starts
      WHERE starts.queue = name AND ${
    aside ? "(at < 0 OR at > now - rate_period)" : `(${isRecent} OR at < 0 AND ${goesOn})`
  }), 0) END))::bigint`;

/**
 * When the rate of the queue in a row of queues lets another job start, where it does not now: after the start that has
 * to be left behind, so that fewer than the rate are within the period; `clock` has to be there. One that is still to come
 * is at the earliest now: so nobody waits too long who looks again then.
 */
export const nextStartSql = `(rate_period + (
  SELECT CASE WHEN jobs >= rate THEN now ELSE (
    SELECT at FROM (
      SELECT at, sum(jobs) OVER (ORDER BY at DESC) AS jobs FROM queuectl.starts WHERE queue = name AND ${isRecent}
    ) AS since WHERE since.jobs >= rate - awaited.jobs ORDER BY at DESC LIMIT 1
  ) END FROM (
    SELECT coalesce(sum(jobs), 0) AS jobs FROM queuectl.starts WHERE queue = name AND at < 0 AND ${goesOn}
  ) AS awaited
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
      SELECT set_config('${setting}', coalesce(pg_catalog.array_agg(name), '{}')::text, true) FROM locked`,
    parameters: [worker, `{${finished.map(({ seq }) => seq).join(",")}}`, database.now()],
  };
}

/** The runs count as begun now. Nothing is done for those of an older claim. In the order of {@link lockQueuesStatement}. */
export function dateStatement(database: Database, begun: readonly BegunRun[]): Statement {
  return {
    text: `
      WITH ${clockSql("$1")},
      begun AS (
        DELETE FROM queuectl.starts USING queuectl.jobs AS job, unnest($2::bigint[], $3::integer[]) AS run (seq, claim)
        WHERE job.seq = run.seq AND job.claim = run.claim AND starts.queue = job.queue AND at = -job.seq
        RETURNING starts.queue, jobs
      )
      INSERT INTO queuectl.starts AS start (queue, at, jobs)
      SELECT queue, ${begunNow}, sum(jobs) FROM begun JOIN queuectl.queues ON name = queue AND rate IS NOT NULL, clock
        GROUP BY queue, now, rate_period ORDER BY queue
      ON CONFLICT (queue, at) DO UPDATE SET jobs = start.jobs + excluded.jobs`,
    parameters: [
      database.now(),
      `{${begun.map(({ seq }) => seq).join(",")}}`,
      `{${begun.map(({ claim }) => claim).join(",")}}`,
    ],
  };
}
