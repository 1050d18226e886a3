/** The worker's transaction: results in, claims out. */

import { failpoint } from "../../failpoint.ts";
import type { Claim, Finished, Outcome } from "../../job/job.ts";
import type { Exchange } from "../store.ts";
import type { Database } from "./database.ts";
import { cancelRequests } from "./cancel.ts";
import { isRegistered, stopRequested } from "./processes.ts";
import { claimColumns, claimFromRow } from "../rows.ts";

/** processing → what `next` says, for every run whose claim is the newest; then promotes what is due, then claims. */
export async function exchange(
  database: Database,
  worker: number,
  workerName: string,
  finished: readonly Finished[],
  want: number,
): Promise<Exchange> {
  if (finished.length === 0 && want === 0) {
    return await database.read(() => ({ claims: [], stale: [], ...requests(database, worker) }));
  }
  return await database.write(() => {
    const now = database.now();
    const stale = finished.filter((run) => !record(database, workerName, run, now)).map((run) => run.seq);
    if (finished.length > 0) failpoint("recording");
    // A worker that was declared gone must not claim: its jobs would be taken for left behind.
    const claims = isRegistered(database, worker) ? claim(database, worker, want, now) : [];
    return { claims, stale, ...requests(database, worker) };
  });
}

function requests(database: Database, worker: number): Pick<Exchange, "cancel" | "stop"> {
  return { cancel: cancelRequests(database, worker), stop: stopRequested(database, worker) };
}

/** False when the run is not the job's newest any more: its result is dropped. */
function record(database: Database, workerName: string, run: Finished, now: number): boolean {
  const { next, outcome } = run;
  // Cancelled while its run ended in another way: nothing but success is stronger.
  const state = next.state !== "completed" && isCancelled(database, run.seq) ? "cancelled" : next.state;
  const delay = next.state === "failed" ? next.delay : 0;
  // A job that is handed back has not used up the attempt.
  const attempts = outcome.kind === "handed_back" ? run.attempt - 1 : run.attempt;
  const { changes } = database.prepare(`
    UPDATE jobs SET state = ?, available = ?, attempts = ?, next_attempt_at = ?, last_error = ?, updated_at = ?,
      started_at = NULL, worker = NULL, cancel_requested = NULL
    WHERE seq = ? AND state = 'processing' AND claim = ?`).run(
    state,
    state === "pending" || state === "failed" && delay === 0 ? 1 : 0,
    attempts,
    state === "failed" && delay > 0 ? now + delay : null,
    "error" in next ? next.error : null,
    now,
    run.seq,
    run.claim,
  );
  if (changes === 0) return false;
  database.prepare(`
    INSERT INTO attempts (job, run, number, worker, started_at, ended_at, outcome, exit_code, signal, output,
      error_output)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
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
function claim(database: Database, worker: number, want: number, now: number): Claim[] {
  if (want === 0) return [];
  database.prepare("UPDATE jobs SET available = 1, next_attempt_at = NULL WHERE next_attempt_at <= ?").run(
    now,
  );
  const rows = database.prepare(`
    UPDATE jobs SET state = 'processing', available = 0, attempts = attempts + 1, claim = claim + 1, run = run + 1,
      worker = ?1, started_at = ?2, updated_at = ?2
    WHERE seq IN (SELECT seq FROM jobs WHERE available = 1 ORDER BY priority DESC, seq LIMIT ?3)
    RETURNING ${claimColumns}, priority`).all(worker, now, want);
  // RETURNING gives rows in no particular order.
  rows.sort((a, b) => Number(b.priority) - Number(a.priority) || Number(a.seq) - Number(b.seq));
  return rows.map((row) => claimFromRow(row, now));
}

/** Whether a job can be claimed now, and how long until one that waits is due. */
export async function outlook(database: Database): Promise<{ ready: boolean; dueIn: number | null }> {
  return await database.read(() => {
    const ready = database.prepare("SELECT 1 FROM jobs WHERE available = 1 LIMIT 1").get() !== undefined;
    const due = database.prepare(
      "SELECT min(next_attempt_at) AS due FROM jobs WHERE next_attempt_at IS NOT NULL",
    )
      .get()!.due as number | null;
    return { ready, dueIn: due === null ? null : Math.max(0, due - database.now()) };
  });
}
