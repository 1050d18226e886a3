/** The worker's transaction: results in, claims out, in one round trip. */

import { failpoint } from "../../base/failpoint.ts";
import type { Claim, Finished } from "../../job/job.ts";
import { claimColumns, claimFromRow, isClaimable, number, numberOrNull } from "../rows.ts";
import type { BegunRun, Exchange } from "../store.ts";
import { clockSql, timeSql } from "./clock.ts";
import type { Database, Row, Run, Statement } from "./connection/database.ts";
import { settleStatement } from "./settle_dependants.ts";
import {
  begunNow,
  dateStatement,
  goesOn,
  grain,
  lockedSql,
  lockQueuesStatement,
  placesSql,
  processingOfAll,
  promotionLimit,
  takenSql,
} from "./limits.ts";
import { recordedStatement, recordStatement, staleRuns } from "./record.ts";
import type { Requests } from "./unanswered_requests.ts";
import { signalsFrom, signalsSql } from "./signals.ts";

/** What a worker has and wants. */
export interface ExchangeRequest {
  worker: number;
  workerName: string;
  finished: readonly Finished[];
  want: number;
  begun: readonly BegunRun[];
}

/** processing → what `next` says, for every run whose claim is the newest; then promotes what is due, then claims. */
export async function exchange(
  database: Database,
  requests: Requests,
  request: ExchangeRequest,
): Promise<Exchange> {
  const { worker, finished, want, begun } = request;
  const kind = `exchange of ${worker}`;
  if (finished.length === 0 && want === 0 && begun.length === 0 && !requests.isOpen(kind)) {
    const [rows] = await database.batch([requestsStatement(worker)], { readOnly: true });
    return { claims: [], stale: [], ...requestsFrom(rows) };
  }
  return await requests.answer(
    kind,
    (name) => exchangeOnce(database, request, name),
    (name) => exchangeAgain(database, request, name),
  );
}

async function exchangeOnce(database: Database, request: ExchangeRequest, name: string): Promise<Exchange> {
  const { worker, workerName, finished, want, begun } = request;
  const records = finished.length > 0
    ? [
      recordStatement(database, workerName, finished),
      settleStatement(database, finished.map(({ seq }) => seq)),
    ]
    : [];
  const locking = want > 0 || begun.length > 0
    ? [lockQueuesStatement(database, worker, [...finished, ...begun])]
    : [];
  const dating = begun.length > 0 ? [dateStatement(database, begun)] : [];
  const claiming = want > 0 ? claimStatements(database, worker, want, name) : [];
  // The last moment: all of it goes out together with its COMMIT.
  if (finished.length > 0) failpoint("recording");
  const answers = await database.batch(
    [lockStatement(worker), ...locking, ...records, ...dating, ...claiming, requestsStatement(worker)],
    { unknown: "tell" },
  );
  return {
    claims: want > 0 ? claimsFrom(answers.at(-2)!) : [],
    stale: finished.length > 0 ? staleRuns(finished, answers[1 + locking.length]) : [],
    ...requestsFrom(answers.at(-1)!),
  };
}

/** The same after an answer that got lost: what that one has recorded or claimed counts as done here. */
async function exchangeAgain(database: Database, request: ExchangeRequest, name: string): Promise<Exchange> {
  const { worker, workerName, finished, want, begun } = request;
  return await database.transaction(async (run) => {
    const ask = ({ text, parameters }: Statement) => run(text, parameters);
    // Waits for the lost one, should it still be at work.
    await ask(lockStatement(worker));
    const claims = await handedOut(database, run, worker, name);
    if (want > claims.length || begun.length > 0) {
      await ask(lockQueuesStatement(database, worker, [...finished, ...begun]));
    }
    const before = await ask(recordedStatement(finished));
    const recorded = await ask(recordStatement(database, workerName, finished));
    if (finished.length > 0) await ask(settleStatement(database, finished.map(({ seq }) => seq)));
    if (begun.length > 0) await ask(dateStatement(database, begun));
    if (want > claims.length) {
      const [promote, claim] = claimStatements(database, worker, want - claims.length, name);
      await ask(promote);
      claims.push(...claimsFrom(await ask(claim)));
    }
    const stale = staleRuns(finished, [...before, ...recorded]);
    return { claims, stale, ...requestsFrom(await ask(requestsStatement(worker))) };
  });
}

/** The jobs that a worker has got by a request, while it does not know of them. */
export async function handedOut(
  database: Database,
  run: Run,
  worker: number,
  name: string,
): Promise<Claim[]> {
  const rows = await run(
    `SELECT ${claimColumns}, ${timeSql("$1")} AS now, ${elsewhereSql("$2")}, ${ratedSql}
     FROM queuectl.jobs AS job
     WHERE state = 'processing' AND worker = $2 AND request = $3 ORDER BY priority DESC, seq`,
    [database.now(), worker, name],
  );
  return claimsFrom(rows);
}

/** Whether a run was begun on another host than that of the worker. */
export const elsewhereSql = (worker: `$${number}`): string =>
  `coalesce(job.host <> (SELECT host FROM queuectl.processes WHERE id = ${worker}), false) AS elsewhere`;

/** Whether a rate waits for the command of a run to begin. */
export const ratedSql =
  "EXISTS (SELECT 1 FROM queuectl.starts WHERE starts.queue = job.queue AND at = -job.seq) AS rated";

/** A column raised by one, and no further than its type allows. */
export const nextNumber = (column: string): string => `least(job.${column}, 2147483646) + 1`;

/** What cannot be named is not run: it stays with the worker until that is gone. */
export const claimsFrom = (rows: readonly Row[]): Claim[] =>
  rows.filter(isClaimable).map((row) => claimFromRow(row, number(row, "now")));

/**
 * Keeps the registration from being removed meanwhile: a worker that was declared gone must not claim, its jobs would be
 * taken for left behind. And lets the exchanges of one worker wait for one another.
 */
function lockStatement(worker: number): Statement {
  return {
    text: "SELECT id FROM queuectl.processes WHERE id = $1 FOR NO KEY UPDATE",
    parameters: [worker],
  };
}

/** Makes jobs that are due available; then pending or failed → processing, attempts raised by one. */
export function claimStatements(
  database: Database,
  worker: number,
  want: number,
  name: string,
): [promote: Statement, claim: Statement] {
  const { schema } = database.options;
  return [
    {
      // More than are wanted here are for others.
      text: `
        WITH ${clockSql("$1")},
        due AS MATERIALIZED (
          SELECT seq FROM queuectl.jobs WHERE next_attempt_at <= (SELECT now FROM clock)
          ORDER BY next_attempt_at LIMIT ${promotionLimit} FOR UPDATE SKIP LOCKED
        ),
        promoted AS (
          UPDATE queuectl.jobs AS job SET available = NOT held AND blocked = 0, next_attempt_at = NULL FROM due WHERE job.seq = due.seq
          RETURNING job.seq
        )
        SELECT CASE WHEN count(*) > $2::integer THEN pg_notify($3, $4) END FROM promoted`,
      parameters: [database.now(), want, schema, database.sender],
    },
    {
      text: `
        WITH ${clockSql("$1")},
        own AS MATERIALIZED (SELECT host, queues FROM queuectl.processes WHERE id = $2),
        total AS MATERIALIZED (
          SELECT CASE WHEN paused THEN 0 WHEN concurrency IS NULL THEN $3::bigint
            WHEN ${lockedSql} THEN greatest(0, least($3, concurrency - ${processingOfAll}))::bigint
            ELSE 0 END AS places
          FROM queuectl.queues WHERE name = ''
        ),
        place AS MATERIALIZED (
          SELECT name, rate, rate_period, CASE WHEN concurrency IS NULL AND rate IS NULL THEN $3::bigint
            WHEN ${lockedSql} THEN ${placesSql("$3", true)} ELSE 0 END AS places
          FROM queuectl.queues, clock
          WHERE name <> '' AND NOT paused AND ${takenSql("(SELECT queues FROM own)")}
        ),
        next AS MATERIALIZED (
          SELECT seq FROM place CROSS JOIN LATERAL (
            SELECT seq, priority FROM queuectl.jobs
            WHERE available AND queue = name AND EXISTS (SELECT 1 FROM own)
            ORDER BY priority DESC, seq LIMIT least(place.places, (SELECT places FROM total)) FOR UPDATE SKIP LOCKED
          ) AS first
          ORDER BY priority DESC, seq LIMIT (SELECT places FROM total)
        ),
        claimed AS (
          UPDATE queuectl.jobs AS job SET state = 'processing', available = false, attempts = ${
        nextNumber("attempts")
      },
            claim = ${nextNumber("claim")}, run = ${
        nextNumber("run")
      }, worker = $2, started_at = clock.now, updated_at = clock.now,
            host = (SELECT host FROM own), request = $4
          FROM next, clock WHERE job.seq = next.seq
          RETURNING job.*, clock.now
        ),
        tidied AS (
          DELETE FROM queuectl.starts USING place, clock
          WHERE starts.queue = name AND rate IS NOT NULL AND ${lockedSql} AND (
            at BETWEEN 0 AND now - rate_period OR at > now + ${grain}
            OR at < 0 AND NOT ${goesOn} AND -at NOT IN (SELECT seq FROM claimed)
          )
          RETURNING starts.queue, jobs, at < 0 OR at > now + ${grain} AS aside
        ),
        -- What a clock that was set back has put into the future counts as now, and what does not go on untold.
        started AS (
          INSERT INTO queuectl.starts AS start (queue, at, jobs)
          SELECT queue, ${begunNow}, sum(jobs) FROM tidied JOIN place ON name = queue, clock
            WHERE aside GROUP BY queue, now, rate_period
          UNION ALL SELECT queue, -seq, 1 FROM claimed JOIN place ON name = queue AND rate IS NOT NULL
          ON CONFLICT (queue, at) DO UPDATE SET jobs = start.jobs + excluded.jobs
        )
        SELECT ${claimColumns}, now, false AS elsewhere,
          queue IN (SELECT name FROM place WHERE rate IS NOT NULL) AS rated
        FROM claimed ORDER BY priority DESC, seq`,
      parameters: [database.now(), worker, want, name],
    },
  ];
}

/** What was asked of a process, or of its manager: a worker may have been started after that. */
function requestsStatement(process: number): Statement {
  return {
    text: `
      SELECT min(stop_grace) AS grace,
        (SELECT string_agg(seq::text, ',') FROM queuectl.jobs WHERE worker = $1 AND cancel_requested) AS cancel,
        ${signalsSql("$1")} AS signals
      FROM queuectl.processes WHERE id = $1 OR id = (SELECT manager FROM queuectl.processes WHERE id = $1)`,
    parameters: [process],
  };
}

function requestsFrom([row]: readonly Row[]): Pick<Exchange, "cancel" | "signals" | "stop"> {
  const grace = numberOrNull(row, "grace");
  const cancel = row.cancel === null ? [] : String(row.cancel).split(",").map(Number);
  return { cancel, signals: signalsFrom(row.signals), stop: grace === null ? null : { grace } };
}
