/** Collecting jobs before they are added: any number of them, and those that wait for others. */

import { failpoint } from "../../base/failpoint.ts";
import { defaultQueueName, type DuplicatePolicy } from "../../job/job.ts";
import { extraColumns, extrasOf, hasParents } from "../optional_fields.ts";
import { openParents, refuseCircles } from "../new_parents.ts";
import { idsExist } from "../errors.ts";
import type { Intake } from "../store.ts";
import { openCollector } from "./bulk_rows.ts";
import { openTally, type Tally } from "./counters.ts";
import { type Database, explained } from "./database.ts";
import { newColumns } from "./new_job_row.ts";
import type { KeyRoom } from "./unique.ts";

/** What is known besides of the jobs that were moved over: their queues, and their tags. */
function countCollected(database: Database, tally: Tally, jobs: number): void {
  const { connection } = database;
  const queues = connection.prepare(`
    SELECT queue, count(*) AS jobs FROM temp.intake WHERE queue <> '${defaultQueueName}' AND existing IS NULL
    GROUP BY queue`)
    .all();
  const others = queues.reduce((sum, { queue, jobs }) => {
    tally.move(null, "pending", jobs as number, queue as string);
    return sum + (jobs as number);
  }, 0);
  tally.move(null, "pending", jobs - others);
  connection.exec(`
    INSERT INTO main.queues (name) SELECT DISTINCT queue FROM temp.intake WHERE queue IS NOT NULL AND existing IS NULL
      ON CONFLICT DO NOTHING;
    INSERT INTO main.tags (tag, job)
      SELECT DISTINCT tag.value, job.seq FROM temp.intake, json_each(intake.tags) AS tag
      JOIN main.jobs AS job ON job.id = intake.id WHERE intake.tags IS NOT NULL AND existing IS NULL`);
}

/**
 * Collects jobs in a temporary table, which SQLite keeps on disk once it is large: memory stays flat, and the queue is
 * locked only while they are all moved over, not while they are still being read.
 */
export function openIntake(database: Database): Intake {
  const { connection } = database;
  // An id that was added already is refused, as two in the queue would be.
  explained(
    database.path,
    () =>
      connection.exec(`
        CREATE TEMP TABLE intake (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command, attempts, max_retries, priority, timeout,
          base_backoff, cwd, env, delay, at, ${extraColumns}, on_duplicate, existing
        );
        BEGIN`),
  );
  const collect = openCollector(connection);
  const due = "coalesce(at, ?1 + coalesce(delay, 0))";
  /** Undefined as long as no job waits for others. */
  let addParents: ReturnType<typeof openParents> | undefined;
  let collecting = true;
  let count = 0;
  let hasKeys = false;
  let hasExtras = false;

  /** Moves over what has no place there yet, from one number to another. */
  function move(from: number, to: number, now: number): number {
    return Number(
      database.prepare(`
        INSERT INTO main.jobs (state, available, next_attempt_at, created_at, updated_at, ${newColumns}, ${extraColumns})
        SELECT 'pending', ${due} <= ?1 AND coalesce(held, 0) = 0, nullif(max(${due}, ?1), ?1), ?1, ?1, ${newColumns},
          coalesce(queue, '${defaultQueueName}'), coalesce(held, 0), tags, unique_key, retry_rules
        FROM temp.intake WHERE number BETWEEN ?2 AND ?3 AND existing IS NULL ORDER BY number
        ON CONFLICT (id) DO NOTHING`).run(now, from, to).changes,
    );
  }

  /** Moves all over, but for jobs with a unique key in whose place another is kept; those before one are there when it comes. */
  function moveWithKeys({ contested, make }: KeyRoom, now: number): { moved: number; kept: number } {
    const keep = connection.prepare("UPDATE temp.intake SET existing = ? WHERE number = ?");
    let [moved, kept, done] = [0, 0, 0];
    for (const row of contested().iterate()) {
      const number = row.number as number;
      moved += move(done + 1, number - 1, now);
      done = number - 1;
      const existing = make(row.id as string, row.unique_key as string, row.on_duplicate as DuplicatePolicy);
      if (existing !== undefined) kept += Number(keep.run(existing, number).changes);
    }
    return { moved: moved + move(done + 1, count, now), kept };
  }

  return {
    add(jobs) {
      const added = explained(database.path, () => collect(jobs, count));
      count += added;
      for (const job of jobs.slice(0, added)) {
        if (hasParents(job)) explained(database.path, () => (addParents ??= openParents(connection))(job));
        if (job.uniqueKey !== undefined) hasKeys = true;
        if (extrasOf(job) !== undefined) hasExtras = true;
      }
      return added;
    },
    async commit() {
      connection.exec("COMMIT");
      collecting = false;
      const parents = addParents ? await import("./parents.ts") : undefined;
      const keys = hasKeys ? await import("./unique.ts") : undefined;
      // Not while others wait.
      if (addParents) explained(database.path, () => refuseCircles(connection));
      return await database.write(() => {
        const now = database.now();
        const tally = openTally(database);
        parents?.findParents(database);
        const { last } = connection.prepare("SELECT max(seq) AS last FROM main.jobs").get()!;
        const { moved, kept } = keys === undefined
          ? { moved: move(1, count, now), kept: 0 }
          : moveWithKeys(keys.openKeyRoom(database, tally), now);
        // Looked for only now: asking for each id beforehand would take as long as adding it.
        if (moved + kept < count) {
          const existing = connection.prepare(`
            SELECT intake.id FROM temp.intake JOIN main.jobs USING (id) WHERE jobs.seq <= ? AND existing IS NULL ORDER BY number LIMIT 6`)
            .all(last);
          throw idsExist(existing.map((row) => row.id as string));
        }
        if (hasExtras) countCollected(database, tally, moved);
        else tally.move(null, "pending", moved);
        parents?.linkParents(database, tally, Number(last ?? 0));
        tally.write();
        failpoint("enqueue");
        return moved;
      });
    },
    *ids() {
      for (
        const row of connection.prepare(
          "SELECT coalesce(existing, id) AS id FROM temp.intake ORDER BY number",
        ).iterate()
      ) {
        yield row.id as string;
      }
    },
    *results() {
      const rows = connection.prepare(
        "SELECT coalesce(existing, id) AS id, existing IS NOT NULL AS existing FROM temp.intake ORDER BY number",
      ).iterate();
      for (const row of rows) yield { id: row.id as string, existing: row.existing === 1 };
    },
    [Symbol.dispose]() {
      // A full disk has rolled back already.
      if (collecting && connection.isTransaction) connection.exec("ROLLBACK");
      connection.exec("DROP TABLE IF EXISTS temp.intake; DROP TABLE IF EXISTS temp.parents");
    },
  };
}
