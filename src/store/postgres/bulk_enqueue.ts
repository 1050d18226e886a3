/**
 * Collecting jobs before they are added: in a temporary table of a SQLite database in this process, which SQLite keeps on
 * disk once it is large. So memory stays flat, an id that is there twice is told at once, and the server is not asked, nor
 * a transaction held open, while the jobs are still being read from somewhere slow.
 */

import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { extraColumns, hasParents } from "../optional_fields.ts";
import { openParents, refuseCircles } from "../new_parents.ts";
import type { Intake } from "../store.ts";
import type { Database } from "./connection/database.ts";
import { enqueueMany, type NewRow, newRow } from "./enqueue.ts";
import type { ParentRow } from "./parents.ts";

const columns =
  `number, id, command, attempts, max_retries, priority, timeout, base_backoff, cwd, env, delay, at, ${extraColumns}, on_duplicate`;

/** Begins to collect. */
export function openIntake(database: Database): Intake {
  const collected = new DatabaseSync(":memory:");
  collected.exec(`
    CREATE TEMP TABLE intake (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command, attempts, max_retries, priority, timeout,
      base_backoff, cwd, env, delay, at, ${extraColumns}, on_duplicate, existing
    );
    BEGIN`);
  const insert = collected.prepare(
    `INSERT INTO temp.intake (${columns}) VALUES (${
      columns.replaceAll(/\w+/g, ":$&")
    }) ON CONFLICT (id) DO NOTHING`,
  );
  /** Undefined as long as no job waits for others. */
  let addParents: ReturnType<typeof openParents> | undefined;
  let count = 0;
  let hasKeys = false;

  function* rows(query: string): Iterable<Record<string, SQLOutputValue>> {
    yield* collected.prepare(`${query} ORDER BY number`).iterate();
  }

  const parents = () =>
    collected.prepare(`
      SELECT child, parent, kind, EXISTS (SELECT 1 FROM temp.intake WHERE id = parent) AS new
      FROM temp.parents ORDER BY rowid`).iterate() as unknown as Iterable<ParentRow>;

  return {
    add(jobs) {
      for (const [index, job] of jobs.entries()) {
        const row = newRow(job, count + 1);
        if (insert.run({ ...row, held: Number(row.held) }).changes === 0) return index;
        count++;
        if (hasParents(job)) (addParents ??= openParents(collected))(job);
        if (job.uniqueKey !== undefined) hasKeys = true;
      }
      return jobs.length;
    },
    async commit() {
      if (addParents) refuseCircles(collected);
      const jobs = () => rows(`SELECT ${columns} FROM temp.intake`) as unknown as Iterable<NewRow>;
      const kept = await enqueueMany(database, jobs, hasKeys, addParents && parents);
      const keep = collected.prepare("UPDATE temp.intake SET existing = ? WHERE number = ?");
      for (const [number, id] of kept) keep.run(id, number);
      return count - kept.size;
    },
    *ids() {
      for (const row of rows("SELECT coalesce(existing, id) AS id FROM temp.intake")) yield row.id as string;
    },
    *results() {
      const jobs = rows(
        "SELECT coalesce(existing, id) AS id, existing IS NOT NULL AS existing FROM temp.intake",
      );
      for (const row of jobs) yield { id: row.id as string, existing: row.existing === 1 };
    },
    [Symbol.dispose]: () => collected.close(),
  };
}
