/** Recording how runs ended. */

import { keptPostponed, tryAgainLater } from "../../job/backoff.ts";
import type { Finished, Outcome } from "../../job/job.ts";
import { number } from "../rows.ts";
import { clockSql } from "./clock.ts";
import type { Database, Row, Statement } from "./connection/database.ts";
import { asJson, storable } from "./values.ts";

/** The columns of a result, as the statement takes them. */
const resultColumns =
  `seq bigint, claim integer, run integer, number integer, started_at bigint, outcome text,
  exit_code integer, signal text, output text, error_output text, state text, attempts integer, delay bigint, error text, ended_at bigint, worker text`;

function resultOf(finished: Finished) {
  const { seq, claim, run, attempt, startedAt, outcome, output, errorOutput, next, endedAt, worker } =
    finished;
  return {
    seq,
    claim,
    run,
    number: attempt,
    started_at: startedAt,
    outcome: outcome.kind,
    exit_code: exitCode(outcome),
    signal: outcome.kind === "signaled" ? outcome.signal : null,
    output: output === "" ? null : storable(output),
    error_output: errorOutput === "" ? null : storable(errorOutput),
    state: next.state,
    // A job that goes back to where it was has not used up the attempt.
    attempts: next.state === "pending" ? attempt - 1 : attempt,
    delay: "delay" in next ? next.delay ?? 0 : 0,
    error: "error" in next && next.error !== undefined ? storable(next.error) : null,
    ended_at: endedAt ?? null,
    worker: worker === undefined ? null : storable(worker),
  };
}

const isPostponed = ({ next }: Finished): boolean => next.state === "pending" && (next.delay ?? 0) > 0;

function exitCode(outcome: Outcome): number | null {
  return outcome.kind === "exited" || outcome.kind === "signaled" ? outcome.code : null;
}

/**
 * processing → what `next` says, for every run whose claim is the newest; gives their `seq` and `claim`. Whoever waits
 * is notified when one of the jobs can be claimed at once.
 */
export function recordStatement(
  database: Database,
  workerName: string,
  finished: readonly Finished[],
): Statement {
  // Of two results of one run the first counts. In the order of the keys, so that two that change the same jobs wait for
  // each other and never both at once.
  const runs = [...new Map(finished.toReversed().map((run) => [keyOf(run), run])).values()]
    .sort((a, b) => a.seq - b.seq);
  // Of those that ask for a later try, one after the other, only the last ones are kept.
  const forgotten = runs.some(isPostponed)
    ? `forgotten AS (
        DELETE FROM queuectl.attempts AS attempt USING result JOIN recorded USING (seq, claim)
        WHERE attempt.job = result.seq AND attempt.run = result.run - ${keptPostponed}
          AND result.state = 'pending' AND result.delay > 0
          AND attempt.outcome = 'exited' AND attempt.exit_code = ${tryAgainLater}
      ),`
    : "";
  return {
    text: `
      WITH ${clockSql("$1")},
      result AS MATERIALIZED (SELECT * FROM json_to_recordset($2::text::json) AS result (${resultColumns})),
      recorded AS (
        UPDATE queuectl.jobs AS job SET
          -- Cancelled while its run ended in another way: nothing but success is stronger.
          state = CASE WHEN job.cancel_requested AND result.state <> 'completed' THEN 'cancelled' ELSE result.state END,
          available = NOT job.cancel_requested AND result.state IN ('pending', 'failed') AND result.delay = 0
            AND job.blocked = 0,
          attempts = result.attempts,
          next_attempt_at = CASE WHEN NOT job.cancel_requested AND result.delay > 0
            THEN clock.now + result.delay END,
          postponed = CASE WHEN result.state <> 'pending' THEN 0
            WHEN result.delay > 0 THEN job.postponed + 1 ELSE job.postponed END,
          last_error = result.error, updated_at = clock.now, started_at = NULL, worker = NULL, host = NULL,
          cancel_requested = false
        FROM result, clock
        WHERE job.seq = result.seq AND job.state = 'processing' AND job.claim = result.claim
        RETURNING job.seq, job.claim, job.available, job.queue
      ),
      kept AS (
        INSERT INTO queuectl.attempts (job, run, number, claim, worker, started_at, ended_at, outcome, exit_code, signal,
          output, error_output)
        SELECT seq, run, number, claim, coalesce(worker, $3), started_at, coalesce(ended_at, clock.now), outcome, exit_code, signal, output, error_output
        FROM result JOIN recorded USING (seq, claim), clock
      ),
      ${forgotten}
      emptied AS (DELETE FROM queuectl.output USING recorded WHERE job = recorded.seq),
      silenced AS (DELETE FROM queuectl.signals USING recorded WHERE job = recorded.seq)
      SELECT seq, claim, CASE WHEN available OR EXISTS (
        -- A place that another job waits for.
        SELECT 1 FROM queuectl.queues WHERE concurrency IS NOT NULL AND (name = recorded.queue OR name = '')
          AND EXISTS (SELECT 1 FROM queuectl.jobs AS other WHERE other.available AND (name = '' OR other.queue = name))
      ) THEN pg_notify($4, $5) END AS notified FROM recorded`,
    parameters: [
      database.now(),
      asJson(runs.map(resultOf)),
      workerName,
      database.options.schema,
      database.sender,
    ],
  };
}

/** Those of the runs that were recorded before, under the same claim: by an exchange whose answer got lost. */
export function recordedStatement(finished: readonly Finished[]): Statement {
  return {
    text: `SELECT attempt.job AS seq, attempt.claim FROM queuectl.attempts AS attempt
      JOIN json_to_recordset($1::text::json) AS result (seq bigint, run integer, claim integer)
        ON attempt.job = result.seq AND attempt.run = result.run AND attempt.claim = result.claim`,
    parameters: [asJson(finished.map(({ seq, run, claim }) => ({ seq, run, claim })))],
  };
}

/** The keys of the runs that are not among the recorded rows, in their order; a second result of one run is one. */
export function staleRuns(finished: readonly Finished[], recorded: readonly Row[]): number[] {
  const open = new Set(recorded.map((row) => `${number(row, "seq")}.${number(row, "claim")}`));
  return finished.filter((run) => !open.delete(keyOf(run))).map(({ seq }) => seq);
}

const keyOf = ({ seq, claim }: { seq: number; claim: number }) => `${seq}.${claim}`;
