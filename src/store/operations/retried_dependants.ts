/** Dependants of jobs that are to run again, in the transaction that retries those and has locked them. */

import { type FoundJob, keyIsWith } from "../errors.ts";
import { retriable } from "./retriable.ts";
import { comingBack, stuckBy } from "./returning_dependants.ts";
import { foundJob, number, type Row, text } from "../rows.ts";
import { keysOf, type Part, type Sql, type Steps } from "../sql.ts";
import { areThereAny, countByChild, explain, markBroken, reasonOf } from "./dependencies.ts";
import { uniqueKeysOf } from "./unique.ts";

/**
 * Opens the dependencies on these jobs again. Who still waits waits for them too; who was cancelled because of them, and for
 * no other reason, waits again (cancelled → pending), and who waits for that one. Gives the keys of those, and of those that
 * stay cancelled because another one has their unique key. The number of statements does not grow with that of the jobs, and
 * each reads every dependency of these jobs at most once: others wait for the locks meanwhile.
 */
export function* reopen(sql: Sql, jobs: readonly number[]): Steps<{ back: number[]; stay: number[] }> {
  if (!(yield* areThereAny(sql))) return { back: [], stay: [] };
  const cancelled = new Map((yield* lockCancelledBecauseOf(sql, jobs)).map((job) => [job.seq, job]));
  const candidates = [...cancelled.keys()];
  const failures = yield* failedParents(sql, candidates);
  const { back, stay } = comingBack(candidates, failures, yield* uniqueKeysOf(sql, candidates));
  const touched = yield* openAgain(sql, [...jobs, ...back]);
  for (const job of [...back, ...stay.keys()]) touched.delete(job);
  const stuck = stuckBy(touched, failures, back).map(reasonOf);
  yield* markBroken(sql, stuck);
  yield* explain(sql, [
    ...stuck,
    ...[...stay].map(([child, { id, key }]) => ({ parent: 0, child, reason: keyIsWith(id, key) })),
  ]);
  if (back.length > 0) {
    yield* sql`
      UPDATE queuectl.jobs SET ${backInQueue(sql)} last_error = NULL, updated_at = ${sql.now}
      WHERE seq ${sql.among(back)}`;
    sql.moved(back.map((job) => cancelled.get(job)!), { state: "pending" });
  }
  return { back, stay: [...stay.keys()] };
}

/** These jobs, and those that were cancelled because of one of them, or of one of those. */
const broken = (sql: Sql, jobs: readonly number[]): Part => (add) => `
  WITH RECURSIVE broken (job) AS (
    SELECT job FROM ${sql.rows("asked", { job: "bigint" }, jobs.map((job) => ({ job })))(add)}
    UNION SELECT edge.child FROM broken CROSS JOIN queuectl.dependencies AS edge
    WHERE edge.parent = broken.job AND edge.broken
  )`;

/**
 * The jobs that were cancelled because of these, or because of one that was. Locks them, and all that waited for one of them
 * or for these.
 */
function* lockCancelledBecauseOf(sql: Sql, jobs: readonly number[]): Steps<FoundJob[]> {
  // What is broken is known only when nobody else can take it back; and then no new job can come to wait for one of them.
  for (let locked = new Set<number>();;) {
    const rows = yield* sql`${broken(sql, jobs)}
      SELECT DISTINCT edge.child FROM broken CROSS JOIN queuectl.dependencies AS edge
      WHERE edge.parent = broken.job AND NOT edge.open`;
    const found = new Set(rows.map((row) => number(row, "child")));
    if (found.size === 0) return [];
    if (found.isSubsetOf(locked)) break;
    const mayHaveChanged = yield* sql.lock([...found]);
    if (!mayHaveChanged) break;
    locked = found;
  }
  const rows = yield* sql`${broken(sql, jobs)}
    SELECT seq, id, state, queue FROM broken CROSS JOIN queuectl.jobs WHERE seq = job AND state = 'cancelled'`;
  return rows.map(foundJob);
}

/** Opens the dependencies on these jobs; gives the children that were cancelled because of one of them. */
function* openAgain(sql: Sql, jobs: readonly number[]): Steps<Set<number>> {
  const isParent = sql.among(jobs);
  const edges = yield* sql`
    SELECT child, broken FROM queuectl.dependencies WHERE parent ${isParent} AND NOT open`;
  if (edges.length > 0) {
    yield* sql`
      UPDATE queuectl.dependencies SET open = TRUE, broken = FALSE WHERE parent ${isParent} AND NOT open`;
    const each = sql.rows("each", { child: "bigint", n: "integer" }, countByChild(edges));
    yield* sql`
      UPDATE queuectl.jobs AS job SET blocked = job.blocked + each.n, available = FALSE
      FROM ${each} WHERE job.seq = each.child`;
  }
  return new Set(edges.filter(({ broken }) => broken).map((edge) => number(edge, "child")));
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue = (sql: Sql): Part => (add) =>
  `${sql.state("pending")(add)}, held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND NOT held_before AND due_before IS NULL), held_before = FALSE, due_before = NULL,`;

/** The dependencies of these jobs on the success of one that is dead or cancelled. */
function* failedParents(sql: Sql, jobs: readonly number[]): Steps<Row[]> {
  if (jobs.length === 0) return [];
  const edges = yield* sql`
    SELECT parent, child FROM queuectl.dependencies
    WHERE child ${sql.among(jobs)} AND NOT open AND kind = 'success' ORDER BY child, parent`;
  const parents = [...new Set(edges.map((edge) => number(edge, "parent")))];
  const rows = yield* sql`SELECT seq, id, state FROM queuectl.jobs WHERE seq ${sql.among(parents)}`;
  const failed = new Map(
    rows.filter((row) => ["dead", "cancelled"].includes(text(row, "state"))).map((row) => [row.seq, row]),
  );
  return edges.filter(({ parent }) => failed.has(parent)).map((edge) => ({
    ...edge,
    id: failed.get(edge.parent)!.id,
    state: failed.get(edge.parent)!.state,
  }));
}

/**
 * Those of these jobs that can be retried: what they wait for has not failed, or is among them. With `all` the others throw
 * `conflict`.
 */
export function* withoutFailedParents(sql: Sql, jobs: FoundJob[], all: boolean): Steps<FoundJob[]> {
  if (jobs.length === 0 || !(yield* areThereAny(sql))) return jobs;
  return retriable(jobs, yield* failedParents(sql, keysOf(jobs)), all);
}
