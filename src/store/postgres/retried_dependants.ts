/** What becomes of jobs that wait for others when those are to run again, in the transaction that has locked those. */

import { comingBack, stuckBy } from "../retried_dependants.ts";
import { type FoundJob, keyIsWith } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number } from "../rows.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./connection/database.ts";
import { explain, lockJobs, markBroken, reasonOf } from "./dependencies.ts";
import { asArray } from "./storable.ts";
import { keysOf } from "./unique.ts";

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. Gives the
 * keys of those, and of those that stay cancelled because another one has their unique key. The number of statements
 * does not grow with that of the jobs, and each reads every dependency of these jobs at most once: others wait for the
 * locks meanwhile.
 */
export async function reopen(
  database: Database,
  run: Run,
  jobs: readonly number[],
): Promise<{ back: number[]; stay: number[] }> {
  const candidates = await lockCancelledBecauseOf(run, jobs);
  const failures = candidates.length > 0 ? await failedParents(run, candidates) : [];
  const keys = candidates.length > 0 ? await keysOf(run, candidates) : { jobs: [], holders: [] };
  const { back, stay } = comingBack(candidates, failures, keys);
  const touched = await openAgain(run, [...jobs, ...back]);
  for (const job of [...back, ...stay.keys()]) touched.delete(job);
  const stuck = stuckBy(touched, failures, back).map(reasonOf);
  await markBroken(run, stuck);
  await explain(run, [
    ...stuck,
    ...[...stay].map(([child, { id, key }]) => ({ parent: 0, child, reason: keyIsWith(id, key) })),
  ]);
  if (back.length > 0) {
    await run(
      `UPDATE queuectl.jobs SET ${backInQueue} last_error = NULL, updated_at = ${timeSql("$2")}
       WHERE seq = ANY ($1::bigint[])`,
      [asArray(back), database.now()],
    );
  }
  return { back, stay: [...stay.keys()] };
}

/**
 * The jobs that were cancelled because of these, which are locked, or because of one that was. Locks them, and all that
 * waited for one of them or for these.
 */
async function lockCancelledBecauseOf(run: Run, jobs: readonly number[]): Promise<number[]> {
  const keys = [asArray(jobs)];
  const broken = `WITH RECURSIVE broken (job) AS (
      SELECT pg_catalog.unnest($1::bigint[])
      UNION SELECT edge.child FROM broken JOIN queuectl.dependencies AS edge ON edge.parent = broken.job
      WHERE edge.broken
    )`;
  const children = async () =>
    (await run(
      `${broken} SELECT DISTINCT child FROM broken JOIN queuectl.dependencies AS edge ON edge.parent = broken.job
       WHERE NOT edge.open`,
      keys,
    )).map((row) => number(row, "child"));
  // What is broken is known only when nobody else can take it back; and then no new job can come to wait for one of them.
  for (let locked = new Set<number>();;) {
    const found = new Set(await children());
    if (found.size === 0) return [];
    if (found.isSubsetOf(locked)) break;
    await lockJobs(run, found);
    locked = found;
  }
  const rows = await run(
    `${broken} SELECT seq FROM broken JOIN queuectl.jobs ON seq = job WHERE state = 'cancelled'`,
    keys,
  );
  return rows.map((row) => number(row, "seq"));
}

/** Opens the dependencies on these jobs, which are locked, and so are the children; gives those that were cancelled because of one. */
async function openAgain(run: Run, jobs: readonly number[]): Promise<Set<number>> {
  const keys = [asArray(jobs)];
  const rows = await run(
    `SELECT child, bool_or(broken) AS broken FROM queuectl.dependencies
     WHERE parent = ANY ($1::bigint[]) AND NOT open GROUP BY child`,
    keys,
  );
  if (rows.length === 0) return new Set();
  await run(
    `WITH opened AS (
       UPDATE queuectl.dependencies SET open = true, broken = false WHERE parent = ANY ($1::bigint[]) AND NOT open
       RETURNING child
     ),
     counted AS (SELECT child, count(*) AS n FROM opened GROUP BY child)
     UPDATE queuectl.jobs AS job SET blocked = job.blocked + n, available = false
     FROM counted WHERE job.seq = counted.child`,
    keys,
  );
  return new Set(rows.filter(({ broken }) => broken).map((row) => number(row, "child")));
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue = `state = 'pending', held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND NOT held_before AND due_before IS NULL), held_before = false, due_before = NULL,`;

/** The dependencies of these jobs on the success of one that is dead or cancelled. */
async function failedParents(run: Run, jobs: readonly number[]): Promise<Row[]> {
  return await run(
    `SELECT edge.parent, edge.child, parent.id, parent.state
     FROM queuectl.dependencies AS edge
     -- By the key, not by the index on states.
     CROSS JOIN LATERAL (SELECT id, state FROM queuectl.jobs WHERE seq = edge.parent OFFSET 0) AS parent
     WHERE edge.child = ANY ($1::bigint[]) AND NOT edge.open AND edge.kind = 'success'
       AND parent.state IN ('dead', 'cancelled') ORDER BY edge.child, edge.parent`,
    [asArray(jobs)],
  );
}

/**
 * Those of these jobs that can be retried: what they wait for has not failed, or is among them. With `all` the others throw
 * `conflict`.
 */
export async function withoutFailedParents(run: Run, jobs: FoundJob[], all: boolean): Promise<FoundJob[]> {
  if (jobs.length === 0) return jobs;
  return retriable(jobs, await failedParents(run, jobs.map(({ seq }) => seq)), all);
}
