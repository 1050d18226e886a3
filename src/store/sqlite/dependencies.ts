/**
 * What becomes of jobs that wait for others: when those end, when they are to run again, when they are removed. All of it
 * in the transaction that changes the others, and nothing where no job waits for any.
 */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentIs } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number, type Row, text } from "../rows.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";

/** Values as a list for json_each. */
const list = (values: Iterable<unknown>) => JSON.stringify([...values]);

/** Whether any job waits for another one, or has waited. */
const areThereAny = (database: Database): boolean =>
  database.prepare("SELECT 1 FROM dependencies LIMIT 1").get() !== undefined;

/**
 * Closes the dependencies on those of these jobs that have ended. Who waits for nothing more becomes available; who waits
 * for the success of one that has none is cancelled (pending or failed → cancelled), and with it who waits for that one.
 */
export function settle(database: Database, tally: Tally, jobs: Iterable<number>, now: number): void {
  if (!areThereAny(database)) return;
  for (let ended = new Set(jobs); ended.size > 0;) {
    const edges = database.prepare(`
      SELECT edge.parent, edge.child, edge.kind, parent.id, parent.state FROM json_each(?) AS ended
      CROSS JOIN dependencies AS edge ON edge.parent = ended.value CROSS JOIN jobs AS parent ON parent.seq = edge.parent
      WHERE edge.open = 1 AND parent.state IN ('completed', 'dead', 'cancelled')`).all(list(ended));
    if (edges.length === 0) return;
    database.prepare(`
      UPDATE dependencies SET open = 0 WHERE parent IN (SELECT value FROM json_each(?)) AND open = 1`)
      .run(list(new Set(edges.map(({ parent }) => parent))));
    unblock(database, edges);
    const broken = edges.filter(({ kind, state }) => kind === "success" && state !== "completed");
    ended = new Set(cancelChildren(database, tally, broken.map(reasonOf), now, true));
  }
}

/** An edge that breaks, and the words for it. */
interface Broken {
  parent: number;
  child: number;
  reason: string;
}

export const reasonOf = (edge: Row): Broken => ({
  parent: number(edge, "parent"),
  child: number(edge, "child"),
  reason: parentIs(text(edge, "id"), text(edge, "state") as JobState),
});

/** How many of these edges each child has, as rows for json_each. */
function countByChild(edges: readonly Row[]): string {
  const counts = new Map<number, number>();
  for (const edge of edges) {
    const child = number(edge, "child");
    counts.set(child, (counts.get(child) ?? 0) + 1);
  }
  return list(counts);
}

/** Takes so many open dependencies away from the children; who has none left can be claimed. */
function unblock(database: Database, edges: readonly Row[]): void {
  database.prepare(`
    UPDATE jobs SET blocked = blocked - (count.value ->> 1),
      available = (state IN ('pending', 'failed') AND blocked = (count.value ->> 1) AND held = 0
        AND next_attempt_at IS NULL)
    FROM json_each(?) AS count WHERE seq = (count.value ->> 0)`).run(countByChild(edges));
}

/**
 * pending or failed → cancelled for the children of these edges. With `mark` it is kept that it was because of them: then a
 * retry of the parent takes it back. Gives the keys of those that were cancelled.
 */
export function cancelChildren(
  database: Database,
  tally: Tally,
  edges: readonly Broken[],
  now: number,
  mark: boolean,
): number[] {
  if (edges.length === 0) return [];
  const reasons = new Map(edges.toReversed().map(({ child, reason }) => [child, reason]));
  const waiting = database.prepare(`
    SELECT seq, state, queue FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND state IN ('pending', 'failed')`)
    .all(list(reasons.keys()));
  const keys = waiting.map((row) => number(row, "seq"));
  if (keys.length === 0) return [];
  database.prepare(`
    UPDATE jobs SET state = 'cancelled', set_aside = 1, available = 0, held_before = held, held = 0,
      due_before = next_attempt_at, next_attempt_at = NULL, last_error = why.value ->> 1, updated_at = ?2
    FROM json_each(?1) AS why WHERE seq = (why.value ->> 0)`)
    .run(list(keys.map((key) => [key, reasons.get(key)])), now);
  for (const row of waiting) tally.move(row.state as JobState, "cancelled", 1, text(row, "queue"));
  if (mark) {
    const cancelled = new Set(keys);
    markBroken(database, edges.filter(({ child }) => cancelled.has(child)));
  }
  return keys;
}

function markBroken(database: Database, edges: readonly Broken[]): void {
  database.prepare(`
    UPDATE dependencies SET broken = 1 FROM json_each(?) AS edge
    WHERE dependencies.parent = (edge.value ->> 0) AND child = (edge.value ->> 1)`)
    .run(list(edges.map(({ parent, child }) => [parent, child])));
}

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. `tell` is told
 * of those beforehand.
 */
export function reopen(
  database: Database,
  tally: Tally,
  jobs: Iterable<number>,
  now: number,
  tell: (back: Iterable<number>) => void,
): void {
  if (!areThereAny(database)) return;
  for (let again = [...jobs]; again.length > 0;) {
    const edges = database.prepare(`
      SELECT edge.child, edge.broken FROM json_each(?) AS again
      CROSS JOIN dependencies AS edge ON edge.parent = again.value WHERE edge.open = 0`).all(list(again));
    if (edges.length === 0) return;
    database.prepare(`
      UPDATE dependencies SET open = 1, broken = 0 WHERE parent IN (SELECT value FROM json_each(?)) AND open = 0`)
      .run(list(again));
    database.prepare(`
      UPDATE jobs SET blocked = blocked + (count.value ->> 1), available = 0
      FROM json_each(?) AS count WHERE seq = (count.value ->> 0)`).run(countByChild(edges));
    const children = new Set(edges.filter(({ broken }) => broken === 1).map((edge) => number(edge, "child")));
    tell(children);
    again = takeBack(database, tally, children, now);
  }
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue =
  `state = 'pending', set_aside = NULL, held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND held_before = 0 AND due_before IS NULL), held_before = 0, due_before = NULL,`;

/** cancelled → pending for those of these jobs that wait for none that is dead or cancelled; gives their keys. */
function takeBack(database: Database, tally: Tally, jobs: Set<number>, now: number): number[] {
  const failures = failedParents(database, jobs);
  const stuck = new Map(failures.toReversed().map((edge) => [number(edge, "child"), reasonOf(edge)]));
  markBroken(database, [...stuck.values()]);
  explain(database, [...stuck].map(([child, { reason }]) => [child, reason]));
  const rows = database.prepare(`
    SELECT seq, queue FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND state = 'cancelled'`)
    .all(list(jobs)).filter((row) => !stuck.has(number(row, "seq")));
  const keys = rows.map((row) => number(row, "seq"));
  database.prepare(`
    UPDATE jobs SET ${backInQueue} last_error = NULL, updated_at = ?2
    WHERE seq IN (SELECT value FROM json_each(?1))`).run(list(keys), now);
  for (const row of rows) tally.move("cancelled", "pending", 1, text(row, "queue"));
  return keys;
}

/** Other words for why jobs are cancelled. */
function explain(database: Database, reasons: Array<[child: number, reason: string]>): void {
  database.prepare(`
    UPDATE jobs SET last_error = why.value ->> 1 FROM json_each(?) AS why WHERE seq = (why.value ->> 0)`)
    .run(list(reasons));
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
  const left = retriable(jobs, failedParents(database, jobs.map(({ seq }) => seq)), all);
  forgiveBroken(database, left.map(({ seq }) => seq));
  return left;
}

/** Forgets because of which jobs these were cancelled: a retry of those does not take it back any more. */
function forgiveBroken(database: Database, jobs: Iterable<number>): void {
  database.prepare(`
    UPDATE dependencies SET broken = 0 WHERE child IN (SELECT value FROM json_each(?)) AND broken = 1`)
    .run(list(jobs));
}

/**
 * Removes the dependencies of jobs that are about to be removed. Who waits for the success of one that is not completed is
 * cancelled, and stays so.
 */
export function unlink(database: Database, tally: Tally, jobs: readonly FoundJob[], now: number): void {
  if (jobs.length === 0 || !areThereAny(database)) return;
  const gone = new Map(jobs.map((job) => [job.seq, job]));
  const keys = list(gone.keys());
  const edges = database.prepare(`
    SELECT edge.parent, edge.child, edge.kind, edge.open FROM json_each(?) AS gone
    CROSS JOIN dependencies AS edge ON edge.parent = gone.value`).all(keys)
    .filter((edge) => !gone.has(number(edge, "child")));
  for (const end of ["parent", "child"]) {
    database.prepare(`DELETE FROM dependencies WHERE ${end} IN (SELECT value FROM json_each(?))`).run(keys);
  }
  if (edges.length === 0) return;
  unblock(database, edges.filter(({ open }) => open === 1));
  const lost = edges.filter(({ parent, kind }) =>
    kind === "success" && gone.get(parent as number)!.state !== "completed"
  ).map((edge) => ({
    parent: number(edge, "parent"),
    child: number(edge, "child"),
    reason: parentIs(gone.get(number(edge, "parent"))!.id, "removed"),
  }));
  const open = new Set(edges.filter(({ open }) => open === 1).map(({ child }) => child));
  stayCancelled(database, lost);
  const waiting = lost.filter(({ child }) => open.has(child));
  settle(database, tally, cancelChildren(database, tally, waiting, now, false), now);
}

/** What was cancelled because of another one does not come back with that: now it waits for one that is gone. */
function stayCancelled(database: Database, lost: readonly Broken[]): void {
  const cancelled = database.prepare(`
    SELECT DISTINCT child FROM dependencies WHERE child IN (SELECT value FROM json_each(?)) AND broken = 1`)
    .all(list(new Set(lost.map(({ child }) => child)))).map(({ child }) => child as number);
  if (cancelled.length === 0) return;
  forgiveBroken(database, cancelled);
  const reasons = new Map(lost.map(({ child, reason }) => [child, reason]));
  explain(database, cancelled.map((child) => [child, reasons.get(child)!]));
}
