/** The worker's transaction: results in, claims out. */

import { failpoint } from "../../failpoint.ts";
import type { Claim, Finished, JobState, Outcome } from "../../job/job.ts";
import type { Exchange } from "../store.ts";
import type { Database } from "./database.ts";
import { openTally, type Tally } from "./counters.ts";
import { settle } from "./dependencies.ts";
import { cancelRequests, standing } from "./processes.ts";
import { addStarts, firstClaimable, limitsOf, placesOf, tidyStarts } from "./claimable.ts";
import { attemptKey } from "./schema.ts";
import { allQueues } from "../queues.ts";
import { claimColumns, claimFromRow, number, type Row, text } from "../rows.ts";
import { dropSignals, signalsFor } from "./signals.ts";

/** processing → what `next` says, for every run whose claim is the newest; then promotes what is due, then claims. */
export async function exchange(
  database: Database,
  worker: number,
  workerName: string,
  finished: readonly Finished[],
  want: number,
): Promise<Exchange> {
  if (finished.length === 0 && want === 0) {
    return await database.read(() => {
      const { stop } = standing(database, worker);
      const cancel = cancelRequests(database, worker);
      return { claims: [], stale: [], cancel, signals: signalsFor(database, worker), stop };
    });
  }
  return await database.write(() => {
    const now = database.now();
    const tally = openTally(database);
    const stale = finished.filter((run) => !record(database, workerName, run, now, tally)).map((run) =>
      run.seq
    );
    if (finished.length > 0) {
      settle(database, tally, finished.map(({ seq }) => seq), now);
      dropSignals(database);
      failpoint("recording");
    }
    const { registered, stop, queues } = standing(database, worker);
    const cancel = cancelRequests(database, worker);
    const signals = signalsFor(database, worker);
    // A worker that was declared gone must not claim: its jobs would be taken for left behind.
    const claims = registered ? claim(database, worker, queues, want, now, tally) : [];
    tally.write();
    return { claims, stale, cancel, signals, stop };
  });
}

/** False when the run is not the job's newest any more: its result is dropped. */
function record(database: Database, workerName: string, run: Finished, now: number, tally: Tally): boolean {
  const { next, outcome } = run;
  // A job that goes back to where it was has not used up the attempt.
  const attempts = next.state === "pending" ? run.attempt - 1 : run.attempt;
  // Cancelled while its run ended in another way: nothing but success is stronger.
  const state = next.state !== "completed" && isCancelled(database, run.seq) ? "cancelled" : next.state;
  const error = "error" in next ? next.error ?? null : null;
  const delay = "delay" in next ? next.delay ?? 0 : 0;
  // Only the columns that change are set: an index on another one is not even looked at.
  const change = state === "completed"
    ? ""
    : state === "dead" || state === "cancelled"
    ? "set_aside = 1,"
    : delay > 0
    ? "next_attempt_at = ?7,"
    : "available = (blocked = 0),";
  const dueAt = change.includes("?7") ? [now + delay] : [];
  const { changes } = database.prepare(`
    UPDATE jobs SET state = ?1, ${change} attempts = ?2, last_error = ?3, updated_at = ?4, started_at = NULL,
      worker = NULL, cancel_requested = NULL
    WHERE seq = ?5 AND state = 'processing' AND claim = ?6`)
    .run(state, attempts, error, now, run.seq, run.claim, ...dueAt);
  if (changes === 0) return false;
  tally.move("processing", state, 1, run.queue);
  database.prepare(`
    INSERT INTO attempts (key, number, worker, started_at, ended_at, outcome, exit_code, signal, output, error_output)
    VALUES (${attemptKey("?", "?")}, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    run.seq,
    run.run,
    run.attempt,
    workerName,
    run.startedAt,
    now,
    outcome.kind,
    exitCode(outcome),
    outcome.kind === "signaled" ? outcome.signal : null,
    run.output || null,
    run.errorOutput || null,
  );
  return true;
}

function isCancelled(database: Database, seq: number): boolean {
  return database.prepare("SELECT 1 FROM jobs WHERE seq = ? AND cancel_requested = 1").get(seq) !== undefined;
}

function exitCode(outcome: Outcome): number | null {
  return outcome.kind === "exited" || outcome.kind === "signaled" ? outcome.code : null;
}

/** pending or failed → processing, attempts raised by one, for up to `want` jobs. */
function claim(
  database: Database,
  worker: number,
  queues: readonly string[] | null,
  want: number,
  now: number,
  tally: Tally,
): Claim[] {
  if (want === 0) return [];
  database.prepare(
    "UPDATE jobs SET available = (held = 0 AND blocked = 0), next_attempt_at = NULL WHERE next_attempt_at <= ?",
  ).run(now);
  // Read, then changed by their keys: an UPDATE with RETURNING takes three times as long, and gives them in no order.
  const rows = next(database, queues, want, now, tally);
  if (rows.length === 0) return [];
  database.prepare(`
    UPDATE jobs SET state = 'processing', available = 0, attempts = attempts + 1, claim = claim + 1, run = run + 1,
      worker = ?1, started_at = ?2, updated_at = ?2
    WHERE seq IN (SELECT value FROM json_each(?3))`).run(
    worker,
    now,
    JSON.stringify(rows.map((row) => row.seq)),
  );
  return rows.map((row) => {
    tally.move(row.state as JobState, "processing", 1, text(row, "queue"));
    for (const column of ["attempts", "claim", "run"]) row[column] = number(row, column) + 1;
    row.started_at = now;
    return claimFromRow(row, now);
  });
}

/** What a worker of these queues (null: of all) may claim within all limits; starts are noted where a rate counts them. */
function next(
  database: Database,
  queues: readonly string[] | null,
  want: number,
  now: number,
  tally: Tally,
): Row[] {
  const columns = `${claimColumns}, state, priority`;
  const limits = limitsOf(database);
  if (limits.size === 0) return firstClaimable(database, want, columns, queues);
  // The counters say how many run.
  tally.write();
  const free = Math.min(want, placesOf(database, limits.get(allQueues), allQueues, now));
  const rows = firstClaimable(database, free, columns, queues, (queue) => {
    const limit = limits.get(queue);
    if (limit !== undefined && limit.rate !== null) tidyStarts(database, limit, queue, now);
    return placesOf(database, limit, queue, now);
  });
  for (const [queue, { length }] of Map.groupBy(rows, (row) => text(row, "queue"))) {
    const limit = limits.get(queue);
    if (limit !== undefined && limit.rate !== null) addStarts(database, limit, queue, now, length);
  }
  return rows;
}
