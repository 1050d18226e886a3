/** Putting jobs into the queue. */

import type { NewJob } from "../../job/job.ts";
import { extraColumns, extrasOf, hasParents } from "../optional_fields.ts";
import { readable } from "../damage.ts";
import { type QueueDefaults, queueDefaultsFromRow, queueDefaultsSql } from "../queues.ts";
import { idsExist } from "../errors.ts";
import { number, settingFromRow, text } from "../rows.ts";
import type { Enqueued } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { extraValues, newColumns, newValues } from "./new_job_row.ts";

/** (new) → pending, all or none; of a job with a unique key that another one has, what it asks for. */
export async function enqueue(database: Database, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  if (jobs.some(hasParents)) {
    const { openIntake } = await import("./bulk_enqueue.ts");
    const { enqueueCollected } = await import("../bulk_enqueue.ts");
    return await enqueueCollected(openIntake(database), jobs);
  }
  const keys = jobs.some(({ uniqueKey }) => uniqueKey !== undefined)
    ? await import("./unique.ts")
    : undefined;
  // Else a job could be kept in the place of itself.
  const twice = keys?.repeatedIds(jobs) ?? [];
  if (twice.length > 0) throw idsExist(twice);
  return await database.write(() => {
    const now = database.now();
    const tally = openTally(database);
    const room = keys?.openKeyRoom(database, tally);
    const taken: string[] = [];
    const enqueued = jobs.map((job) => {
      const { id, uniqueKey, onDuplicate, queue } = job;
      const kept = uniqueKey === undefined ? undefined : room!.make(id, uniqueKey, onDuplicate);
      if (kept !== undefined) return { id: kept, existing: true };
      const key = insert(database, job, now);
      if (key === undefined) taken.push(id);
      else tally.move(null, "pending", 1, queue);
      return { id, existing: false };
    });
    if (taken.length > 0) throw idsExist(taken);
    tally.write();
    return enqueued;
  });
}

/** Gives the key of the job; undefined where the id exists. */
function insert(database: Database, job: NewJob, now: number): number | undefined {
  const extras = extrasOf(job);
  const values = [now, dueAt(job, now), ...newValues(job)];
  const columns = `state, available, next_attempt_at, created_at, updated_at, ${newColumns}`;
  const plain = "?2, ?1, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11";
  if (extras === undefined) {
    const { changes, lastInsertRowid } = database.prepare(`
      INSERT INTO jobs (${columns}) VALUES ('pending', ?2 IS NULL, ${plain}) ON CONFLICT (id) DO NOTHING`)
      .run(...values);
    return changes === 1 ? Number(lastInsertRowid) : undefined;
  }
  const row = database.prepare(`
    INSERT INTO jobs (${columns}, ${extraColumns})
    VALUES ('pending', ?2 IS NULL AND ?13 = 0, ${plain}, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (id) DO NOTHING RETURNING seq`).get(...values, ...extraValues(extras));
  if (row === undefined) return undefined;
  database.prepare("INSERT INTO queues (name) VALUES (?) ON CONFLICT DO NOTHING").run(extras.queue);
  if (extras.tags !== null) {
    database.prepare("INSERT INTO tags (tag, job) SELECT DISTINCT value, ?1 FROM json_each(?2)")
      .run(row.seq, extras.tags);
  }
  return number(row, "seq");
}

/** The time for which a job has to wait; null where it can run at once. */
function dueAt({ delay, at }: NewJob, now: number): number | null {
  const due = at ?? now + (delay ?? 0);
  return due > now ? due : null;
}

/** What new jobs are completed by: the settings and, by their names, what queues have for them. */
export async function enqueueDefaults(
  database: Database,
): Promise<{ settings: Array<[string, string]>; queues: Map<string, QueueDefaults> }> {
  return await database.read(() => {
    const settings = database.prepare("SELECT key, value FROM config ORDER BY key").all();
    const rows = database.prepare(queueDefaultsSql("queues")).all();
    return {
      settings: readable(settings, settingFromRow, database.tellDamage),
      queues: new Map(rows.map((row) => [text(row, "name"), queueDefaultsFromRow(row)])),
    };
  });
}
