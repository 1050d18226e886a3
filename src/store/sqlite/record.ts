/** How runs ended, put down in the worker's transaction. */

import { keptPostponed, tryAgainLater } from "../../job/backoff.ts";
import type { Finished, JobState, Outcome } from "../../job/job.ts";
import { number } from "../rows.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { attemptKey } from "./attempt_key.ts";

/**
 * processing → what `next` says, for every run whose claim is the newest. Gives the keys of the jobs of all others, whose
 * results are dropped, in their order.
 */
export function recordAll(
  database: Database,
  workerName: string,
  finished: readonly Finished[],
  now: number,
  tally: Tally,
): number[] {
  const [plain, others] = [new Map<number, Finished[]>(), [] as Finished[]];
  // Of two results of one job the first is taken.
  const isOnce = new Set(finished.map(({ seq }) => seq)).size === finished.length;
  for (const run of finished) {
    if (!isOnce || !isPlain(run)) others.push(run);
    else if (plain.has(run.claim)) plain.get(run.claim)!.push(run);
    else plain.set(run.claim, [run]);
  }
  const stale = new Set(others.filter((run) => !record(database, workerName, run, now, tally)));
  for (const [claim, runs] of plain) {
    for (const run of recordPlain(database, workerName, claim, runs, now, tally)) stale.add(run);
  }
  return finished.filter((run) => stale.has(run)).map(({ seq }) => seq);
}

/** Whether all there is to be said of a run is that it succeeded: what most of them do. */
const isPlain = ({ next, outcome, output, errorOutput, endedAt }: Finished): boolean =>
  next.state === "completed" && outcome.kind === "exited" && outcome.code === 0 && output === "" &&
  errorOutput === "" && endedAt === undefined;

/** The same for such runs of one claim number, by two statements however many they are; gives those that are not the newest. */
function recordPlain(
  database: Database,
  workerName: string,
  claim: number,
  runs: readonly Finished[],
  now: number,
  tally: Tally,
): Finished[] {
  const keys = JSON.stringify(runs.map(({ seq }) => seq));
  const newest = "seq IN (SELECT value FROM json_each(?1)) AND state = 'processing' AND claim = ?2";
  // What is to be kept of the run is in its job.
  const { changes } = database.prepare(`
    INSERT INTO attempts (key, number, worker, started_at, ended_at, outcome, exit_code)
    SELECT ${attemptKey("seq", "run")}, attempts, ?3, started_at, ?4, 'exited', 0 FROM jobs WHERE ${newest}`)
    .run(keys, claim, workerName, now);
  let [recorded, stale] = [runs, [] as Finished[]];
  if (changes !== runs.length) {
    const left = new Set(
      database.prepare(`SELECT seq FROM jobs WHERE ${newest}`).all(keys, claim).map((row) =>
        number(row, "seq")
      ),
    );
    [recorded, stale] = [runs.filter(({ seq }) => left.has(seq)), runs.filter(({ seq }) => !left.has(seq))];
  }
  database.prepare(`
    UPDATE jobs SET state = 'completed', last_error = NULL, updated_at = ?3, started_at = NULL, worker = NULL,
      cancel_requested = NULL
    WHERE ${newest}`).run(keys, claim, now);
  for (const { queue } of recorded) tally.move("processing", "completed", 1, queue);
  return stale;
}

/** Sets the columns that change, and no others: an index on another one is not even looked at. */
function changeTo(state: JobState, delay: number): string {
  if (state === "completed") return "";
  if (state === "dead" || state === "cancelled") return "set_aside = 1,";
  return delay > 0 ? "next_attempt_at = ?7," : "available = (blocked = 0),";
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
  const isPostponed = next.state === "pending" && delay > 0;
  const postponed = isPostponed
    ? "postponed = postponed + 1,"
    : next.state === "pending"
    ? ""
    : "postponed = 0,";
  const change = changeTo(state, delay);
  const dueAt = change.includes("?7") ? [now + delay] : [];
  const { changes } = database.prepare(`
    UPDATE jobs SET state = ?1, ${change} ${postponed} attempts = ?2, last_error = ?3, updated_at = ?4, started_at = NULL,
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
    run.worker ?? workerName,
    run.startedAt,
    run.endedAt ?? now,
    outcome.kind,
    exitCode(outcome),
    outcome.kind === "signaled" ? outcome.signal : null,
    run.output || null,
    run.errorOutput || null,
  );
  if (isPostponed) {
    database.prepare(
      `DELETE FROM attempts WHERE key = ${attemptKey("?", "?")} AND outcome = 'exited' AND exit_code = ?`,
    ).run(run.seq, run.run - keptPostponed, tryAgainLater);
  }
  return true;
}

function isCancelled(database: Database, seq: number): boolean {
  return database.prepare("SELECT 1 FROM jobs WHERE seq = ? AND cancel_requested = 1").get(seq) !== undefined;
}

function exitCode(outcome: Outcome): number | null {
  return outcome.kind === "exited" || outcome.kind === "signaled" ? outcome.code : null;
}
