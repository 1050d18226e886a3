/** What new jobs wait for: found when they are put into the queue, from the names that were collected with them. */

import { aboutNewJob, noParent } from "../errors.ts";
import { text } from "../rows.ts";
import { refuseCircles } from "../new_parents.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { sqlOn, take } from "./engine.ts";
import { openTally } from "./counters.ts";
import { cancelNewChildren } from "../operations/dependencies.ts";
import { requireJob } from "../operations/find_jobs.ts";

/**
 * Makes whole ids of all names of parents, before the new jobs are in the queue: by the beginning of its id only a job that
 * is there already can be meant. Throws `not_found`.
 */
export function findParents(database: Database): void {
  const { connection } = database;
  const unknown = connection.prepare(`
    SELECT parent, min(child) AS child FROM temp.parents
    WHERE NOT EXISTS (SELECT 1 FROM temp.intake WHERE id = parent) AND NOT EXISTS (SELECT 1 FROM main.jobs WHERE id = parent)
    GROUP BY parent ORDER BY min(rowid)`).all();
  const rename = connection.prepare("UPDATE temp.parents SET parent = ? WHERE parent = ?");
  const sql = sqlOn(database, openTally(database));
  for (const row of unknown) {
    const name = text(row, "parent");
    const child = text(row, "child");
    try {
      rename.run(take(database, requireJob(sql, name, noParent(child))).id, name);
    } catch (error) {
      throw aboutNewJob(error, child);
    }
  }
}

/**
 * A job that is not stored, because another one with its unique key is kept, waits for none, and who is to wait for it waits
 * for that one. Throws `usage` where that makes a circle.
 */
function followKept({ connection }: Database): void {
  const isKept = (name: string) => `${name} IN (SELECT id FROM temp.intake WHERE existing IS NOT NULL)`;
  connection.exec(`DELETE FROM temp.parents WHERE ${isKept("child")}`);
  const { changes } = connection.prepare(`
    UPDATE temp.parents SET parent = (SELECT existing FROM temp.intake WHERE id = parent) WHERE ${
    isKept("parent")
  }`)
    .run();
  if (changes > 0) refuseCircles(connection);
}

/** Has the new jobs, whose keys are higher than `last`, wait for their parents, or cancels them where one has failed. */
export function linkParents(database: Database, tally: Tally, last: number): void {
  const { connection } = database;
  followKept(database);
  connection.exec(`
    INSERT INTO main.dependencies (parent, child, kind, open)
    SELECT parent.seq, child.seq, max(kind), parent.state IN ('pending', 'processing', 'failed')
    FROM temp.parents AS edge CROSS JOIN main.jobs AS child ON child.id = edge.child
    CROSS JOIN main.jobs AS parent ON parent.id = edge.parent
    GROUP BY parent.seq, child.seq`);
  connection.prepare(`
    UPDATE main.jobs SET blocked = edges.n, available = 0
    FROM (SELECT child, count(*) AS n FROM main.dependencies WHERE child > ? AND open = 1 GROUP BY child) AS edges
    WHERE seq = edges.child`).run(last);
  const failed = connection.prepare(`
    SELECT edge.parent, edge.child, parent.id, parent.state
    FROM main.dependencies AS edge CROSS JOIN main.jobs AS parent ON parent.seq = edge.parent
    WHERE edge.child > ? AND edge.open = 0 AND edge.kind = 'success' AND parent.state <> 'completed'`).all(
    last,
  );
  take(database, cancelNewChildren(sqlOn(database, tally), failed));
}
