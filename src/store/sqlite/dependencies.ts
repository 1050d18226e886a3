/**
 * What becomes of jobs that wait for others: when those end, and when they are removed; retried_dependants.ts has what becomes of
 * them when those are to run again. All of it in the transaction that changes the others, and nothing where no job waits for any.
 */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentIs } from "../refusals.ts";
import { number, type Row, text } from "../rows.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";

/** Values as a list for json_each. */
export const list = (values: Iterable<unknown>) => JSON.stringify([...values]);

/** Whether any job waits for another one, or has waited. */
export const areThereAny = (database: Database): boolean =>
  database.prepare("SELECT 1 FROM dependencies LIMIT 1").get() !== undefined;

/**
 * Closes the dependencies on those of these jobs that have ended. Who waits for nothing more becomes available; who waits
 * for the success of one that has none is cancelled (pending or failed → cancelled), and with it who waits for that one.
 * Gives how many were cancelled. The number of statements is always the same, and each reads every dependency on these
 * jobs at most once: others wait for the lock meanwhile.
 */
export function settle(database: Database, tally: Tally, jobs: Iterable<number>, now: number): number {
  const ended = new Set(jobs);
  if (ended.size === 0 || !areThereAny(database)) return 0;
  const edges = database.prepare(`
    SELECT edge.parent, edge.child, edge.kind, parent.id, parent.state FROM json_each(?) AS ended
    CROSS JOIN dependencies AS edge ON edge.parent = ended.value CROSS JOIN jobs AS parent ON parent.seq = edge.parent
    WHERE edge.open = 1 AND parent.state IN ('completed', 'dead', 'cancelled')`).all(list(ended));
  if (edges.length === 0) return 0;
  const breaks = (edge: Row) => edge.kind === "success" && edge.state !== "completed";
  const direct = new Set(edges.filter(breaks).map(({ child }) => child));
  const all = direct.size === 0 ? edges : [...edges, ...edgesBehind(database, direct)];
  database.prepare(`
    UPDATE dependencies SET open = 0 WHERE parent IN (SELECT value FROM json_each(?)) AND open = 1`)
    .run(list(new Set(all.map(({ parent }) => parent))));
  unblock(database, all);
  return cancelChildren(database, tally, all.filter(breaks).map(reasonOf), now, true).length;
}

/** The open dependencies on those of these jobs that wait, which will be cancelled, and with them who waits for them. */
function edgesBehind(database: Database, jobs: Iterable<unknown>): Row[] {
  return database.prepare(`
    WITH RECURSIVE cancelled (job) AS (
      SELECT seq FROM json_each(?) CROSS JOIN jobs ON seq = value WHERE state IN ('pending', 'failed')
      UNION SELECT edge.child FROM cancelled CROSS JOIN dependencies AS edge ON edge.parent = cancelled.job
      CROSS JOIN jobs AS child ON child.seq = edge.child
      WHERE edge.open = 1 AND edge.kind = 'success' AND child.state IN ('pending', 'failed')
    )
    SELECT edge.parent, edge.child, edge.kind, parent.id, 'cancelled' AS state FROM cancelled
    CROSS JOIN dependencies AS edge ON edge.parent = cancelled.job CROSS JOIN jobs AS parent ON parent.seq = cancelled.job
    WHERE edge.open = 1`).all(list(jobs));
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
export function countByChild(edges: readonly Row[]): string {
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
  const first = new Map(edges.toReversed().map((edge) => [edge.child, edge]));
  const waiting = database.prepare(`
    SELECT seq, state, queue FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND state IN ('pending', 'failed')`)
    .all(list(first.keys()));
  const keys = waiting.map((row) => number(row, "seq"));
  if (keys.length === 0) return [];
  database.prepare(`
    UPDATE jobs SET state = 'cancelled', set_aside = 1, available = 0, held_before = held, held = 0,
      due_before = next_attempt_at, next_attempt_at = NULL, last_error = why.value ->> 1, updated_at = ?2
    FROM json_each(?1) AS why WHERE seq = (why.value ->> 0)`)
    .run(list(keys.map((key) => [key, first.get(key)!.reason])), now);
  for (const row of waiting) tally.move(row.state as JobState, "cancelled", 1, text(row, "queue"));
  if (mark) markBroken(database, keys.map((key) => first.get(key)!));
  return keys;
}

export function markBroken(database: Database, edges: readonly Broken[]): void {
  database.prepare(`
    UPDATE dependencies SET broken = 1 FROM json_each(?) AS edge
    WHERE dependencies.parent = (edge.value ->> 0) AND child = (edge.value ->> 1)`)
    .run(list(edges.map(({ parent, child }) => [parent, child])));
}

/** Other words for why jobs are cancelled. */
export function explain(database: Database, reasons: Array<[child: number, reason: string]>): void {
  database.prepare(`
    UPDATE jobs SET last_error = why.value ->> 1 FROM json_each(?) AS why WHERE seq = (why.value ->> 0)`)
    .run(list(reasons));
}

/** Forgets because of which jobs these were cancelled: a retry of those does not take it back any more. */
export function forgiveBroken(database: Database, jobs: Iterable<number>): void {
  database.prepare(`
    UPDATE dependencies SET broken = 0 WHERE child IN (SELECT value FROM json_each(?)) AND broken = 1`)
    .run(list(jobs));
}

/**
 * Removes the dependencies of jobs that are about to be removed. Who waits for the success of one that is not completed is
 * cancelled, and stays so. Gives how many were cancelled.
 */
export function unlink(database: Database, tally: Tally, jobs: readonly FoundJob[], now: number): number {
  if (jobs.length === 0 || !areThereAny(database)) return 0;
  const gone = new Map(jobs.map((job) => [job.seq, job]));
  const keys = list(gone.keys());
  const edges = database.prepare(`
    SELECT edge.parent, edge.child, edge.kind, edge.open FROM json_each(?) AS gone
    CROSS JOIN dependencies AS edge ON edge.parent = gone.value`).all(keys)
    .filter((edge) => !gone.has(number(edge, "child")));
  for (const end of ["parent", "child"]) {
    database.prepare(`DELETE FROM dependencies WHERE ${end} IN (SELECT value FROM json_each(?))`).run(keys);
  }
  if (edges.length === 0) return 0;
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
  const cancelled = cancelChildren(database, tally, waiting, now, false);
  return cancelled.length + settle(database, tally, cancelled, now);
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
