/**
 * Dependants of jobs: when those are removed, and what settling the dependencies on ended ones has in common with that;
 * retried_dependants.ts has what becomes of them when those are to run again. All of it in the transaction that changes the
 * others, which has locked them.
 */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentIs } from "../errors.ts";
import { foundJob, number, type Row, text } from "../rows.ts";
import { keysOf, type Sql, type Steps } from "../sql.ts";

/** A dependency that breaks, and the words for it. */
export interface Broken {
  parent: number;
  child: number;
  reason: string;
}

/** From a row with `parent` and `child`, and `id` and `state` of the parent. */
export const reasonOf = (edge: Row): Broken => ({
  parent: number(edge, "parent"),
  child: number(edge, "child"),
  reason: parentIs(text(edge, "id"), text(edge, "state") as JobState),
});

/** The first of every child. */
const firstOfEach = (edges: readonly Broken[]): Broken[] => [
  ...new Map(edges.toReversed().map((edge) => [edge.child, edge])).values(),
];

const edgeColumns = { parent: "bigint", child: "bigint", reason: "text" } as const;

/** Whether any job waits for another one, or has waited. */
export function* areThereAny(sql: Sql): Steps<boolean> {
  return (yield* sql`SELECT 1 FROM queuectl.dependencies LIMIT 1`).length > 0;
}

/** Takes so many open dependencies away from the children as they have rows; who has none left can be claimed. */
export function* unblock(sql: Sql, edges: readonly Row[]): Steps<void> {
  if (edges.length === 0) return;
  const each = sql.rows("each", { child: "bigint", n: "integer" }, countByChild(edges));
  yield* sql`
    UPDATE queuectl.jobs AS job SET blocked = job.blocked - each.n,
      available = (job.state IN ('pending', 'failed') AND job.blocked = each.n AND NOT job.held
        AND job.next_attempt_at IS NULL)
    FROM ${each} WHERE job.seq = each.child`;
}

/** How many of these dependencies each child has. */
export const countByChild = (edges: readonly Row[]): Array<{ child: number; n: number }> =>
  [...Map.groupBy(edges, (edge) => number(edge, "child"))].map(([child, { length }]) => ({
    child,
    n: length,
  }));

/**
 * pending or failed → cancelled for the children of these dependencies, which are locked. Gives for each of those that were
 * cancelled the first dependency that breaks.
 */
export function* cancelChildren(sql: Sql, edges: readonly Broken[]): Steps<Broken[]> {
  if (edges.length === 0) return [];
  const first = new Map(firstOfEach(edges).map((edge) => [edge.child, edge]));
  const rows = yield* sql`
    SELECT seq, id, state, queue FROM queuectl.jobs
    WHERE seq ${sql.among([...first.keys()])} AND state IN ('pending', 'failed')`;
  const jobs = rows.map(foundJob);
  const broken = jobs.map(({ seq }) => first.get(seq)!);
  if (broken.length === 0) return [];
  yield* sql`
    UPDATE queuectl.jobs AS job SET ${sql.state("cancelled")}, available = FALSE, held_before = job.held,
      held = FALSE, due_before = job.next_attempt_at, next_attempt_at = NULL, last_error = edge.reason,
      updated_at = ${sql.now}
    FROM ${sql.rows("edge", edgeColumns, broken)} WHERE job.seq = edge.child`;
  sql.moved(jobs, { state: "cancelled" });
  return broken;
}

/** Keeps that jobs were cancelled because of these dependencies: then a retry of the parent takes that back. */
export function* markBroken(sql: Sql, edges: readonly Broken[]): Steps<void> {
  if (edges.length === 0) return;
  yield* sql`
    UPDATE queuectl.dependencies AS dependency SET broken = TRUE FROM ${sql.rows("edge", edgeColumns, edges)}
    WHERE dependency.parent = edge.parent AND dependency.child = edge.child`;
}

/** The same for new jobs, some of whose parents have failed; and their dependants. */
export function* cancelNewChildren(sql: Sql, failed: readonly Row[]): Steps<void> {
  const broken = yield* cancelChildren(sql, failed.map(reasonOf));
  yield* markBroken(sql, broken);
  yield* sql.settle(broken.map(({ child }) => child));
}

/** Other words for why jobs are cancelled. */
export function* explain(sql: Sql, edges: readonly Broken[]): Steps<void> {
  if (edges.length === 0) return;
  yield* sql`
    UPDATE queuectl.jobs AS job SET last_error = edge.reason
    FROM ${sql.rows("edge", edgeColumns, firstOfEach(edges))} WHERE job.seq = edge.child`;
}

/** Forgets because of which jobs these were cancelled: a retry of those does not take it back any more. Gives which were. */
export function* forgiveBroken(sql: Sql, jobs: readonly number[]): Steps<Set<number>> {
  if (jobs.length === 0) return new Set();
  const rows = yield* sql`
    UPDATE queuectl.dependencies SET broken = FALSE WHERE child ${
    sql.among(jobs)
  } AND broken RETURNING child`;
  return new Set(rows.map((row) => number(row, "child")));
}

/**
 * Removes the dependencies of jobs that are about to be removed. Who waits for the success of one that is not completed is
 * cancelled, and stays so. Gives how many were cancelled, and whether some may be free to run now.
 */
export function* unlink(
  sql: Sql,
  jobs: readonly FoundJob[],
): Steps<{ cancelled: number; mayFree: boolean }> {
  const none = { cancelled: 0, mayFree: false };
  if (jobs.length === 0 || !(yield* areThereAny(sql))) return none;
  const gone = new Map(jobs.map((job) => [job.seq, job]));
  const isGone = sql.among(keysOf(jobs));
  yield* sql`DELETE FROM queuectl.dependencies WHERE child ${isGone}`;
  const edges = yield* sql`
    DELETE FROM queuectl.dependencies WHERE parent ${isGone} RETURNING parent, child, kind, open`;
  if (edges.length === 0) return none;
  yield* sql.lock(edges.map((edge) => number(edge, "child")));
  const lost = edges.filter((edge) =>
    edge.kind === "success" && gone.get(number(edge, "parent"))!.state !== "completed"
  ).map((edge) => ({
    parent: number(edge, "parent"),
    child: number(edge, "child"),
    reason: parentIs(gone.get(number(edge, "parent"))!.id, "removed"),
  }));
  // What was cancelled because of another one does not come back with that: now it waits for one that is gone.
  const stays = yield* forgiveBroken(sql, lost.map(({ child }) => child));
  yield* explain(sql, lost.filter(({ child }) => stays.has(child)));
  const open = edges.filter(({ open }) => open);
  const isOpen = new Set(open.map(({ child }) => child));
  const cancelled = yield* cancelChildren(sql, lost.filter(({ child }) => isOpen.has(child)));
  const behind = yield* sql.settle(cancelled.map(({ child }) => child));
  yield* unblock(sql, open);
  return { cancelled: cancelled.length + behind, mayFree: open.length > 0 };
}
