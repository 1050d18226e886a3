/** What new jobs wait for: found when they are put into the queue, from the names that were collected with them. */

import { findCircle } from "../new_parents.ts";
import { aboutNewJob, noParent, waitsForItself } from "../errors.ts";
import { number, text } from "../rows.ts";
import type { Database, Run } from "./connection/database.ts";
import { cancelNewChildren } from "../operations/dependencies.ts";
import { requireJob } from "../operations/find_jobs.ts";
import { sqlOn, take } from "./engine.ts";
import { asArray, asJson } from "./values.ts";

/** What a new job is to wait for, by its name. */
export interface ParentRow {
  child: string;
  parent: string;
  kind: string;
  /** The parent is one of the new jobs itself. */
  new: boolean;
}

/** Rows that go out in one statement. */
const packet = 10_000;

/**
 * Brings names of parents to the server, and makes whole ids of them, before the new jobs are in the queue: by the
 * beginning of its id only a job that is there already can be meant. Those jobs are locked: none of them ends meanwhile
 * without being seen. Throws `not_found`.
 */
export async function findParents(
  database: Database,
  run: Run,
  parents: Iterable<ParentRow>,
): Promise<void> {
  const columns = `child text COLLATE "C", parent text COLLATE "C", kind text COLLATE "C", new boolean`;
  await run(`CREATE TEMPORARY TABLE queuectl_parents (${columns}) ON COMMIT DROP`);
  const send = (rows: ParentRow[]) =>
    run(
      `INSERT INTO pg_temp.queuectl_parents
       SELECT child, parent, kind, new FROM json_to_recordset($1::text::json) AS each (${columns})`,
      [asJson(rows)],
    );
  let rows: ParentRow[] = [];
  for (const { child, parent, kind, new: isNew } of parents) {
    if (rows.push({ child, parent, kind, new: Boolean(isNew) }) < packet) continue;
    await send(rows);
    rows = [];
  }
  if (rows.length > 0) await send(rows);
  // A question for each name, which always uses the index: a join with a table that has none may not.
  const found = await run(`
    SELECT (SELECT seq FROM queuectl.jobs WHERE id = name.parent) AS seq
    FROM pg_temp.queuectl_parents AS name WHERE NOT new`);
  await run("SELECT seq FROM queuectl.jobs WHERE seq = ANY ($1::bigint[]) ORDER BY seq FOR SHARE", [
    asArray([...new Set(found.filter(({ seq }) => seq !== null).map((row) => number(row, "seq")))]),
  ]);
  // Only now: one that was there may have been removed.
  const unknown = await run(`
    SELECT parent, min(child) AS child FROM pg_temp.queuectl_parents AS name
    WHERE NOT new AND (SELECT seq FROM queuectl.jobs WHERE id = name.parent) IS NULL GROUP BY parent`);
  const sql = sqlOn(database);
  for (const row of unknown) {
    const name = text(row, "parent");
    const child = text(row, "child");
    const { id } = await take(run, requireJob(sql, name, noParent(child), true)).catch((error) => {
      throw aboutNewJob(error, child);
    });
    await run("UPDATE pg_temp.queuectl_parents SET parent = $1 WHERE parent = $2", [id, name]);
  }
}

/**
 * A job that is not stored, because another one with its unique key is kept, waits for none, and who is to wait for it waits
 * for that one: `kept` has its id by that of the one that was left out. Throws `usage` where that makes a circle.
 */
async function followKept(run: Run, kept: ReadonlyMap<string, string>): Promise<void> {
  if (kept.size === 0) return;
  const rows = asJson([...kept].map(([id, existing]) => ({ id, existing })));
  const each = `json_to_recordset($1::text::json) AS kept (id text COLLATE "C", existing text COLLATE "C")`;
  await run(`DELETE FROM pg_temp.queuectl_parents AS name USING ${each} WHERE name.child = kept.id`, [rows]);
  const changed = await run(
    `UPDATE pg_temp.queuectl_parents AS name SET parent = kept.existing FROM ${each} WHERE name.parent = kept.id
     RETURNING 1 AS changed`,
    [rows],
  );
  if (changed.length === 0) return;
  const edges = await run("SELECT child, parent FROM pg_temp.queuectl_parents WHERE new");
  const parentsOf = Map.groupBy(edges, (edge) => text(edge, "child"));
  const circle = findCircle(
    new Map([...parentsOf].map(([child, edges]) => [child, edges.map((edge) => text(edge, "parent"))])),
  );
  if (circle) throw waitsForItself(circle);
}

/**
 * Has the new jobs, which are in the queue, wait for their parents, or cancels them where one has failed. `kept` has the
 * ids of jobs that were left out, with those of the jobs that are kept in their places.
 */
export async function linkParents(
  database: Database,
  run: Run,
  kept: ReadonlyMap<string, string>,
): Promise<void> {
  await followKept(run, kept);
  const failed = await run(`
    WITH edge AS (
      SELECT (SELECT seq FROM queuectl.jobs WHERE id = name.parent) AS parent,
        (SELECT seq FROM queuectl.jobs WHERE id = name.child) AS child, max(kind) AS kind
      FROM pg_temp.queuectl_parents AS name GROUP BY 1, 2
    ),
    linked AS (
      INSERT INTO queuectl.dependencies (parent, child, kind, open)
      SELECT parent, child, kind,
        (SELECT state IN ('pending', 'processing', 'failed') FROM queuectl.jobs WHERE seq = edge.parent)
      FROM edge ON CONFLICT DO NOTHING RETURNING parent, child, kind, open
    ),
    waiting AS (
      UPDATE queuectl.jobs AS job SET blocked = open.n, available = false
      FROM (SELECT child, count(*) AS n FROM linked WHERE open GROUP BY child) AS open WHERE job.seq = open.child
    )
    SELECT linked.parent, linked.child, parent.id, parent.state FROM linked
    CROSS JOIN LATERAL (SELECT id, state FROM queuectl.jobs WHERE seq = linked.parent OFFSET 0) AS parent
    WHERE NOT open AND kind = 'success' AND parent.state <> 'completed' ORDER BY linked.child, linked.parent`);
  await take(run, cancelNewChildren(sqlOn(database), failed));
}
