/** What becomes of jobs that wait for others when those are to run again, in the transaction that has them do so. */

import { type FoundJob, keyIsWith } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number, type Row, text } from "../rows.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { noteChanges } from "./recency.ts";
import { areThereAny, countByChild, explain, list, markBroken, reasonOf } from "./dependencies.ts";
import { jobsWithoutKeys } from "./unique.ts";

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. Gives the
 * keys of those, and of those that stay cancelled because another one has their unique key.
 */
export function reopen(
  database: Database,
  tally: Tally,
  jobs: Iterable<number>,
  now: number,
): { back: number[]; stay: number[] } {
  const [back, stay]: number[][] = [[], []];
  if (!areThereAny(database)) return { back, stay };
  for (let again = [...jobs]; again.length > 0;) {
    const edges = database.prepare(`
      SELECT edge.child, edge.broken FROM json_each(?) AS again
      CROSS JOIN dependencies AS edge ON edge.parent = again.value WHERE edge.open = 0`).all(list(again));
    if (edges.length === 0) break;
    database.prepare(`
      UPDATE dependencies SET open = 1, broken = 0 WHERE parent IN (SELECT value FROM json_each(?)) AND open = 0`)
      .run(list(again));
    database.prepare(`
      UPDATE jobs SET blocked = blocked + (count.value ->> 1), available = 0
      FROM json_each(?) AS count WHERE seq = (count.value ->> 0)`).run(countByChild(edges));
    const children = new Set(edges.filter(({ broken }) => broken === 1).map((edge) => number(edge, "child")));
    const ends = takeBack(database, tally, children, now);
    // One by one: they can be more than the arguments of a call.
    for (const job of ends.stay) stay.push(job);
    for (const job of ends.back) back.push(job);
    again = ends.back;
  }
  return { back, stay };
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue =
  `state = 'pending', set_aside = NULL, held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND held_before = 0 AND due_before IS NULL), held_before = 0, due_before = NULL,`;

/**
 * cancelled → pending for those of these jobs that wait for none that is dead or cancelled; gives their keys. Those whose
 * unique keys others have `stay`, and say so.
 */
function takeBack(database: Database, tally: Tally, jobs: Set<number>, now: number) {
  const failures = failedParents(database, jobs);
  const stuck = new Map(failures.toReversed().map((edge) => [number(edge, "child"), reasonOf(edge)]));
  markBroken(database, [...stuck.values()]);
  explain(database, [...stuck].map(([child, { reason }]) => [child, reason]));
  const cancelled = database.prepare(`
    SELECT seq, queue FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND state = 'cancelled'`)
    .all(list(jobs)).filter((row) => !stuck.has(number(row, "seq")));
  const left = jobsWithoutKeys(database, cancelled.map((row) => number(row, "seq")));
  explain(database, [...left].map(([seq, { id, key }]) => [seq, keyIsWith(id, key)]));
  const rows = cancelled.filter((row) => !left.has(number(row, "seq")));
  const back = rows.map((row) => number(row, "seq"));
  database.prepare(`
    UPDATE jobs SET ${backInQueue} last_error = NULL, updated_at = ?2
    WHERE seq IN (SELECT value FROM json_each(?1))`).run(list(back), now);
  noteChanges(database, back, now);
  for (const row of rows) tally.move("cancelled", "pending", 1, text(row, "queue"));
  return { back, stay: [...left.keys()] };
}

/** The dependencies of these jobs on the success of one that is dead or cancelled. */
function failedParents(database: Database, jobs: Iterable<number>): Row[] {
  return database.prepare(`
    SELECT edge.parent, edge.child, parent.id, parent.state FROM json_each(?) AS waiting
    CROSS JOIN dependencies AS edge ON edge.child = waiting.value CROSS JOIN jobs AS parent ON parent.seq = edge.parent
    WHERE edge.open = 0 AND edge.kind = 'success' AND parent.state IN ('dead', 'cancelled')`).all(list(jobs));
}

/**
 * Those of these jobs that can be retried: what they wait for has not failed, or is among them. With `all` the others throw
 * `conflict`.
 */
export function withoutFailedParents(database: Database, jobs: FoundJob[], all: boolean): FoundJob[] {
  if (jobs.length === 0 || !areThereAny(database)) return jobs;
  return retriable(jobs, failedParents(database, jobs.map(({ seq }) => seq)), all);
}
