/** What new jobs wait for: found when they are put into the queue, from the names that were collected with them. */

import { noParent } from "../refusals.ts";
import { text } from "../rows.ts";
import type { Database, Run } from "./database.ts";
import { cancelWaiting, reasonOf } from "./dependencies.ts";
import { requireJob } from "./queries.ts";
import { asJson } from "./storable.ts";

/** What a new job is to wait for, by its name. */
export interface ParentRow {
  child: string;
  parent: string;
  kind: string;
}

/** Rows that go out in one statement. */
const packet = 10_000;

/**
 * Brings names of parents to the server, and makes whole ids of them, before the new jobs are in the queue: by the
 * beginning of its id only a job that is there already can be meant. Those jobs are locked: none of them ends meanwhile
 * without being seen. Throws `not_found`.
 */
export async function findParents(run: Run, parents: Iterable<ParentRow>): Promise<void> {
  const columns = `child text COLLATE "C", parent text COLLATE "C", kind text COLLATE "C"`;
  await run(
    `CREATE TEMPORARY TABLE queuectl_parents (number integer GENERATED ALWAYS AS IDENTITY, ${columns}) ON COMMIT DROP`,
  );
  const send = (rows: ParentRow[]) =>
    run(
      `INSERT INTO pg_temp.queuectl_parents (child, parent, kind)
       SELECT child, parent, kind FROM json_to_recordset($1::text::json) AS each (${columns})`,
      [asJson(rows)],
    );
  let rows: ParentRow[] = [];
  for (const row of parents) {
    if (rows.push(row) < packet) continue;
    await send(rows);
    rows = [];
  }
  if (rows.length > 0) await send(rows);
  await run(`
    SELECT count(*) FROM (
      SELECT seq FROM queuectl.jobs WHERE seq IN (
        SELECT job.seq FROM pg_temp.queuectl_parents AS name JOIN queuectl.jobs AS job ON job.id = name.parent)
      ORDER BY seq FOR SHARE
    ) AS locked`);
  const unknown = await run(`
    SELECT parent, min(child) AS child FROM pg_temp.queuectl_parents AS name
    WHERE NOT EXISTS (SELECT 1 FROM pg_temp.queuectl_intake WHERE id = name.parent)
      AND NOT EXISTS (SELECT 1 FROM queuectl.jobs WHERE id = name.parent)
    GROUP BY parent ORDER BY min(number)`);
  for (const row of unknown) {
    const name = text(row, "parent");
    const { id } = await requireJob(run, name, noParent(text(row, "child")), "FOR UPDATE");
    await run("UPDATE pg_temp.queuectl_parents SET parent = $1 WHERE parent = $2", [id, name]);
  }
}

/** Has the new jobs, which are in the queue, wait for their parents, or cancels them where one has failed. */
export async function linkParents(database: Database, run: Run): Promise<void> {
  await run(`
    INSERT INTO queuectl.dependencies (parent, child, kind, open)
    SELECT parent.seq, child.seq, max(kind), bool_or(parent.state IN ('pending', 'processing', 'failed'))
    FROM pg_temp.queuectl_parents AS name JOIN queuectl.jobs AS child ON child.id = name.child
    JOIN queuectl.jobs AS parent ON parent.id = name.parent
    GROUP BY parent.seq, child.seq ON CONFLICT DO NOTHING`);
  await run(`
    UPDATE queuectl.jobs AS job SET blocked = edges.n, available = false
    FROM (
      SELECT child, count(*) AS n FROM queuectl.dependencies WHERE open AND child IN (
        SELECT job.seq FROM pg_temp.queuectl_parents AS name JOIN queuectl.jobs AS job ON job.id = name.child)
      GROUP BY child
    ) AS edges
    WHERE job.seq = edges.child`);
  const failed = await run(`
    SELECT edge.parent, edge.child, parent.id, parent.state
    FROM (
      SELECT DISTINCT job.seq FROM pg_temp.queuectl_parents AS name JOIN queuectl.jobs AS job ON job.id = name.child
    ) AS new
    JOIN queuectl.dependencies AS edge ON edge.child = new.seq JOIN queuectl.jobs AS parent ON parent.seq = edge.parent
    WHERE NOT edge.open AND edge.kind = 'success' AND parent.state IN ('dead', 'cancelled')
    ORDER BY edge.child, edge.parent`);
  await cancelWaiting(database, run, failed.map(reasonOf), true);
}
