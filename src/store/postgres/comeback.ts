/** What becomes of jobs that wait for others when those are to run again, in the transaction that has locked those. */

import { type FoundJob, keyIsWith } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number } from "../rows.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./database.ts";
import { explain, lockJobs, markBroken, reasonOf } from "./dependencies.ts";
import { asArray } from "./storable.ts";
import { jobsWithoutKeys } from "./unique.ts";

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. Gives the
 * keys of those, and of those that stay cancelled because another one has their unique key.
 */
export async function reopen(
  database: Database,
  run: Run,
  jobs: readonly number[],
): Promise<{ back: number[]; stay: number[] }> {
  const [back, stay]: number[][] = [[], []];
  for (let again = jobs; again.length > 0;) {
    const keys = asArray(again);
    const rows = await run(
      "SELECT DISTINCT child FROM queuectl.dependencies WHERE parent = ANY ($1::bigint[]) AND NOT open",
      [keys],
    );
    if (rows.length === 0) break;
    // What is broken is known only when nobody else can take it back.
    await lockJobs(run, rows.map((row) => number(row, "child")));
    const broken = await run(
      "SELECT DISTINCT child FROM queuectl.dependencies WHERE parent = ANY ($1::bigint[]) AND NOT open AND broken",
      [keys],
    );
    await run(
      `WITH opened AS (
         UPDATE queuectl.dependencies SET open = true, broken = false WHERE parent = ANY ($1::bigint[]) AND NOT open
         RETURNING child
       ),
       counted AS (SELECT child, count(*) AS n FROM opened GROUP BY child)
       UPDATE queuectl.jobs AS job SET blocked = job.blocked + n, available = false
       FROM counted WHERE job.seq = counted.child`,
      [keys],
    );
    const ends = await takeBack(database, run, broken.map((row) => number(row, "child")));
    // One by one: they can be more than the arguments of a call.
    for (const job of ends.stay) stay.push(job);
    for (const job of ends.back) back.push(job);
    again = ends.back;
  }
  return { back, stay };
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue = `state = 'pending', held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND NOT held_before AND due_before IS NULL), held_before = false, due_before = NULL,`;

/**
 * cancelled → pending for those of these jobs, which are locked, that wait for none that is dead or cancelled; gives their
 * keys. Those whose unique keys others have `stay`, and say so.
 */
async function takeBack(
  database: Database,
  run: Run,
  jobs: readonly number[],
): Promise<{ back: number[]; stay: number[] }> {
  if (jobs.length === 0) return { back: [], stay: [] };
  const stuck = (await failedParents(run, jobs)).map(reasonOf);
  await markBroken(run, stuck);
  await explain(run, stuck);
  const others = new Set(jobs);
  for (const { child } of stuck) others.delete(child);
  const left = await jobsWithoutKeys(run, [...others], "cancelled");
  await explain(
    run,
    [...left].map(([child, { id, key }]) => ({ parent: 0, child, reason: keyIsWith(id, key) })),
  );
  for (const child of left.keys()) others.delete(child);
  const rows = await run(
    `UPDATE queuectl.jobs SET ${backInQueue} last_error = NULL, updated_at = ${timeSql("$2")}
     WHERE seq = ANY ($1::bigint[]) AND state = 'cancelled' RETURNING seq`,
    [asArray([...others]), database.now()],
  );
  return { back: rows.map((row) => number(row, "seq")), stay: [...left.keys()] };
}

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
