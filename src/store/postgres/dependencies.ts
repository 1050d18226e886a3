/**
 * What becomes of jobs that wait for others: when those end, and when they are removed; retried_dependants.ts has what becomes of
 * them when those are to run again. All of it in the transaction that changes the others, which has locked them.
 */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentIs } from "../refusals.ts";
import { number, text } from "../rows.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run, Statement } from "./connection/database.ts";
import { asArray, asJson } from "./storable.ts";

/** Has the dependencies on those of these jobs that have ended settled; see settle_function.ts. Done twice it is as once. */
export function settleStatement(database: Database, jobs: readonly number[]): Statement {
  return {
    text: `SELECT queuectl.settle($1::bigint[], ${timeSql("$2")}, $3::text, $4::text) AS cancelled`,
    parameters: [asArray([...new Set(jobs)]), database.now(), database.options.schema, database.sender],
  };
}

/** The same at once. Gives how many jobs were cancelled. */
export async function settle(database: Database, run: Run, jobs: readonly number[]): Promise<number> {
  if (jobs.length === 0) return 0;
  const { text, parameters } = settleStatement(database, jobs);
  const [row] = await run(text, parameters);
  return number(row, "cancelled");
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
export async function lockJobs(run: Run, jobs: Iterable<number>): Promise<void> {
  await run("SELECT seq FROM queuectl.jobs WHERE seq = ANY ($1::bigint[]) ORDER BY seq FOR NO KEY UPDATE", [
    asArray([...jobs]),
  ]);
}

/**
 * pending or failed → cancelled for the children of these edges, which are locked. With `mark` it is kept that it was
 * because of them: then a retry of the parent takes it back. So it goes on with who waits for those. Gives how many
 * were cancelled.
 */
export async function cancelChildren(
  database: Database,
  run: Run,
  edges: readonly Broken[],
  mark: boolean,
): Promise<number> {
  if (edges.length === 0) return 0;
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
  return keys.length + await settle(database, run, keys);
}

export async function markBroken(run: Run, edges: readonly Broken[]): Promise<void> {
  if (edges.length === 0) return;
  await run(
    `UPDATE queuectl.dependencies AS dependency SET broken = true FROM ${brokenRows("$1")}
     WHERE dependency.parent = edge.parent AND dependency.child = edge.child`,
    [asJson(edges)],
  );
}

/** Other words for why jobs are cancelled. */
export async function explain(run: Run, edges: readonly Broken[]): Promise<void> {
  if (edges.length === 0) return;
  const first = firstOfEach(edges);
  await run(
    `UPDATE queuectl.jobs AS job SET last_error = edge.reason FROM ${
      brokenRows("$1")
    } WHERE job.seq = edge.child`,
    [asJson(first)],
  );
}

/** Forgets because of which jobs these were cancelled: a retry of those does not take it back any more. Gives which were. */
export async function forgiveBroken(run: Run, jobs: readonly number[]): Promise<Set<number>> {
  const rows = await run(
    "UPDATE queuectl.dependencies SET broken = false WHERE child = ANY ($1::bigint[]) AND broken RETURNING child",
    [asArray(jobs)],
  );
  return new Set(rows.map((row) => number(row, "child")));
}

/**
 * Removes the dependencies of jobs that are about to be removed. Who waits for the success of one that is not completed is
 * cancelled, and stays so. Gives how many were cancelled, and whether some may be free to run now.
 */
export async function unlink(
  database: Database,
  run: Run,
  jobs: readonly FoundJob[],
): Promise<{ cancelled: number; mayFree: boolean }> {
  const gone = new Map(jobs.map((job) => [job.seq, job]));
  const keys = [asArray([...gone.keys()])];
  await run("DELETE FROM queuectl.dependencies WHERE child = ANY ($1::bigint[])", keys);
  const edges = await run(
    "DELETE FROM queuectl.dependencies WHERE parent = ANY ($1::bigint[]) RETURNING parent, child, kind, open",
    keys,
  );
  if (edges.length === 0) return { cancelled: 0, mayFree: false };
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
  const cancelled = await cancelChildren(database, run, lost.filter(({ child }) => isOpen.has(child)), false);
  await unblock(run, open);
  return { cancelled, mayFree: open.length > 0 };
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
