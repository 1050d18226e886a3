/** What becomes of jobs that wait for others when those are to run again, in the transaction that has them do so. */

import { comingBack, stuckBy } from "../retried_dependants.ts";
import { type FoundJob, keyIsWith } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number, type Row, text } from "../rows.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { areThereAny, countByChild, explain, list, markBroken, reasonOf } from "./dependencies.ts";
import { keysOf } from "./unique.ts";

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. Gives the
 * keys of those, and of those that stay cancelled because another one has their unique key. The number of statements is
 * always the same, and each reads every dependency of these jobs at most once: others wait for the lock meanwhile.
 */
export function reopen(
  database: Database,
  tally: Tally,
  jobs: readonly number[],
  now: number,
): { back: number[]; stay: number[] } {
  if (!areThereAny(database)) return { back: [], stay: [] };
  const queueOf = cancelledBecauseOf(database, jobs);
  const candidates = [...queueOf.keys()];
  const failures = failedParents(database, candidates);
  const { back, stay } = comingBack(candidates, failures, keysOf(database, candidates));
  const touched = openAgain(database, [...jobs, ...back]);
  for (const job of [...back, ...stay.keys()]) touched.delete(job);
  const stuck = stuckBy(touched, failures, back).map(reasonOf);
  markBroken(database, stuck);
  explain(database, [
    ...stuck.map(({ child, reason }): [number, string] => [child, reason]),
    ...[...stay].map(([job, { id, key }]): [number, string] => [job, keyIsWith(id, key)]),
  ]);
  database.prepare(`
    UPDATE jobs SET ${backInQueue} last_error = NULL, updated_at = ?2
    WHERE seq IN (SELECT value FROM json_each(?1))`).run(list(back), now);
  for (const job of back) tally.move("cancelled", "pending", 1, queueOf.get(job)!);
  return { back, stay: [...stay.keys()] };
}

/** The jobs that were cancelled because of these, or because of one that was; with the names of their queues. */
function cancelledBecauseOf(database: Database, jobs: readonly number[]): Map<number, string> {
  const rows = database.prepare(`
    WITH RECURSIVE broken (job) AS (
      SELECT value FROM json_each(?1)
      UNION SELECT edge.child FROM broken CROSS JOIN dependencies AS edge ON edge.parent = broken.job
      WHERE edge.broken = 1
    )
    SELECT seq, queue FROM broken CROSS JOIN jobs ON seq = job WHERE state = 'cancelled'`).all(list(jobs));
  return new Map(rows.map((row) => [number(row, "seq"), text(row, "queue")]));
}

/** Opens the dependencies on these jobs; gives the children that were cancelled because of one of them. */
function openAgain(database: Database, jobs: readonly number[]): Set<number> {
  const edges = database.prepare(`
    SELECT edge.child, edge.broken FROM json_each(?) AS again
    CROSS JOIN dependencies AS edge ON edge.parent = again.value WHERE edge.open = 0`).all(list(jobs));
  if (edges.length > 0) {
    database.prepare(`
      UPDATE dependencies SET open = 1, broken = 0 WHERE parent IN (SELECT value FROM json_each(?)) AND open = 0`)
      .run(list(jobs));
    database.prepare(`
      UPDATE jobs SET blocked = blocked + (count.value ->> 1), available = 0
      FROM json_each(?) AS count WHERE seq = (count.value ->> 0)`).run(countByChild(edges));
  }
  return new Set(edges.filter(({ broken }) => broken === 1).map((edge) => number(edge, "child")));
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue =
  `state = 'pending', set_aside = NULL, held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND held_before = 0 AND due_before IS NULL), held_before = 0, due_before = NULL,`;

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
