/**
 * What becomes of jobs that wait for others: when those end, when they are to run again, when they are removed. All of it
 * in the transaction that changes the others, which has locked them.
 */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentIs } from "../refusals.ts";
import { retriable } from "../retriable.ts";
import { number, text } from "../rows.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run, Statement } from "./database.ts";
import { asArray, asJson } from "./storable.ts";

/** Has the dependencies on those of these jobs that have ended settled; see settle_function.ts. Done twice it is as once. */
export function settleStatement(database: Database, jobs: readonly number[]): Statement {
  return {
    text: `SELECT queuectl.settle($1::bigint[], ${timeSql("$2")}, $3, $4)`,
    parameters: [asArray([...new Set(jobs)]), database.now(), database.options.schema, database.sender],
  };
}

/** The same at once. */
export async function settle(database: Database, run: Run, jobs: readonly number[]): Promise<void> {
  if (jobs.length === 0) return;
  const { text, parameters } = settleStatement(database, jobs);
  await run(text, parameters);
}

/** An edge that breaks, and the words for it. */
export interface Broken {
  parent: number;
  child: number;
  reason: string;
}

export const reasonOf = (edge: Row): Broken => ({
  parent: number(edge, "parent"),
  child: number(edge, "child"),
  reason: parentIs(text(edge, "id"), text(edge, "state") as JobState),
});

/** The first edge of every child. */
const firstOfEach = (
  edges: readonly Broken[],
) => [...new Map(edges.toReversed().map((edge) => [edge.child, edge])).values()];

/** Edges that break as rows of a statement. */
const brokenRows = (parameter: `$${number}`) =>
  `json_to_recordset(${parameter}::text::json) AS edge (parent bigint, child bigint, reason text)`;

/** Nobody else changes these jobs until the end of the transaction. */
async function lockJobs(run: Run, jobs: Iterable<number>): Promise<void> {
  await run("SELECT seq FROM queuectl.jobs WHERE seq = ANY ($1::bigint[]) ORDER BY seq FOR NO KEY UPDATE", [
    asArray([...jobs]),
  ]);
}

/**
 * pending or failed → cancelled for the children of these edges, which are locked. With `mark` it is kept that it was
 * because of them: then a retry of the parent takes it back. So it goes on with who waits for those.
 */
export async function cancelChildren(
  database: Database,
  run: Run,
  edges: readonly Broken[],
  mark: boolean,
): Promise<void> {
  if (edges.length === 0) return;
  const first = firstOfEach(edges);
  const rows = await run(
    `UPDATE queuectl.jobs AS job SET state = 'cancelled', available = false, held_before = job.held, held = false,
       due_before = job.next_attempt_at, next_attempt_at = NULL, last_error = edge.reason, updated_at = ${
      timeSql("$2")
    }
     FROM ${
      brokenRows("$1")
    } WHERE job.seq = edge.child AND job.state IN ('pending', 'failed') RETURNING job.seq`,
    [asJson(first), database.now()],
  );
  const keys = rows.map((row) => number(row, "seq"));
  const cancelled = new Set(keys);
  if (mark) await markBroken(run, edges.filter(({ child }) => cancelled.has(child)));
  await settle(database, run, keys);
}

async function markBroken(run: Run, edges: readonly Broken[]): Promise<void> {
  if (edges.length === 0) return;
  await run(
    `UPDATE queuectl.dependencies AS dependency SET broken = true FROM ${brokenRows("$1")}
     WHERE dependency.parent = edge.parent AND dependency.child = edge.child`,
    [asJson(edges)],
  );
}

/** Other words for why jobs are cancelled. */
async function explain(run: Run, edges: readonly Broken[]): Promise<void> {
  if (edges.length === 0) return;
  const first = firstOfEach(edges);
  await run(
    `UPDATE queuectl.jobs AS job SET last_error = edge.reason FROM ${
      brokenRows("$1")
    } WHERE job.seq = edge.child`,
    [asJson(first)],
  );
}

/**
 * Opens the dependencies on these jobs again, which are to run again. Who still waits waits for them too; who was cancelled
 * because of them, and for no other reason, waits again (cancelled → pending), and who waits for that one. `tell` is told
 * of those beforehand.
 */
export async function reopen(
  database: Database,
  run: Run,
  jobs: readonly number[],
  tell: (back: readonly number[]) => void = () => {},
): Promise<void> {
  for (let again = jobs; again.length > 0;) {
    const keys = asArray(again);
    const rows = await run(
      "SELECT DISTINCT child FROM queuectl.dependencies WHERE parent = ANY ($1::bigint[]) AND NOT open",
      [keys],
    );
    if (rows.length === 0) return;
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
    const children = broken.map((row) => number(row, "child"));
    tell(children);
    again = await takeBack(database, run, children);
  }
}

/** What is SET for a job that waits again: as it was when it was cancelled because of another one. */
export const backInQueue = `state = 'pending', held = held_before, next_attempt_at = due_before,
  available = (blocked = 0 AND NOT held_before AND due_before IS NULL), held_before = false, due_before = NULL,`;

/** cancelled → pending for those of these jobs that wait for none that is dead or cancelled; gives their keys. */
async function takeBack(database: Database, run: Run, jobs: readonly number[]): Promise<number[]> {
  if (jobs.length === 0) return [];
  const stuck = (await failedParents(run, jobs)).map(reasonOf);
  await markBroken(run, stuck);
  await explain(run, stuck);
  const others = new Set(jobs);
  for (const { child } of stuck) others.delete(child);
  const rows = await run(
    `UPDATE queuectl.jobs SET ${backInQueue} last_error = NULL, updated_at = ${timeSql("$2")}
     WHERE seq = ANY ($1::bigint[]) AND state = 'cancelled' RETURNING seq`,
    [asArray([...others]), database.now()],
  );
  return rows.map((row) => number(row, "seq"));
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
  const left = retriable(jobs, await failedParents(run, jobs.map(({ seq }) => seq)), all);
  await forgiveBroken(run, left.map(({ seq }) => seq));
  return left;
}

/** Forgets because of which jobs these were cancelled: a retry of those does not take it back any more. Gives which were. */
async function forgiveBroken(run: Run, jobs: readonly number[]): Promise<Set<number>> {
  const rows = await run(
    "UPDATE queuectl.dependencies SET broken = false WHERE child = ANY ($1::bigint[]) AND broken RETURNING child",
    [asArray(jobs)],
  );
  return new Set(rows.map((row) => number(row, "child")));
}

/**
 * Removes the dependencies of jobs that are about to be removed. Who waits for the success of one that is not completed is
 * cancelled, and stays so. True where some may be free to run now.
 */
export async function unlink(database: Database, run: Run, jobs: readonly FoundJob[]): Promise<boolean> {
  const gone = new Map(jobs.map((job) => [job.seq, job]));
  const keys = [asArray([...gone.keys()])];
  await run("DELETE FROM queuectl.dependencies WHERE child = ANY ($1::bigint[])", keys);
  const edges = await run(
    "DELETE FROM queuectl.dependencies WHERE parent = ANY ($1::bigint[]) RETURNING parent, child, kind, open",
    keys,
  );
  if (edges.length === 0) return false;
  const children = new Set(edges.map((edge) => number(edge, "child")));
  await lockJobs(run, children);
  const lost = edges.filter(({ parent, kind }) =>
    kind === "success" && gone.get(parent as number)!.state !== "completed"
  ).map((edge) => ({
    parent: number(edge, "parent"),
    child: number(edge, "child"),
    reason: parentIs(gone.get(number(edge, "parent"))!.id, "removed"),
  }));
  // What was cancelled because of another one does not come back with that: now it waits for one that is gone.
  const stays = await forgiveBroken(run, lost.map(({ child }) => child));
  await explain(run, lost.filter(({ child }) => stays.has(child)));
  const open = edges.filter(({ open }) => open);
  const isOpen = new Set(open.map(({ child }) => child));
  await cancelChildren(database, run, lost.filter(({ child }) => isOpen.has(child)), false);
  await unblock(run, open);
  return open.length > 0;
}

/** Takes so many open dependencies away from the children; who has none left can be claimed. */
async function unblock(run: Run, edges: readonly Row[]): Promise<void> {
  const counts = Map.groupBy(edges, ({ child }) => child);
  await run(
    `UPDATE queuectl.jobs AS job SET blocked = job.blocked - each.n,
       available = job.state IN ('pending', 'failed') AND job.blocked = each.n AND NOT job.held
         AND job.next_attempt_at IS NULL
     FROM json_to_recordset($1::text::json) AS each (child bigint, n integer) WHERE job.seq = each.child`,
    [asJson([...counts].map(([child, edges]) => ({ child, n: edges.length })))],
  );
}
