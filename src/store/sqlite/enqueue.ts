/** Putting jobs into the queue. */

import { failpoint } from "../../failpoint.ts";
import type { NewJob } from "../../job/job.ts";
import { addedTwice, idsExist } from "../refusals.ts";
import type { Intake } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { explained } from "./database.ts";

const newColumns = "id, command, attempts, max_retries, priority, timeout, base_backoff, cwd, env";

function newValues(job: NewJob): Array<string | number | null> {
  const env = job.env && Object.keys(job.env).length > 0 ? JSON.stringify(job.env) : null;
  return [
    job.id,
    job.command,
    job.attempts,
    job.maxRetries,
    job.priority,
    job.timeout,
    job.baseBackoff,
    job.cwd,
    env,
  ];
}

/** (new) → pending, all or none. */
export async function enqueue(database: Database, jobs: readonly NewJob[]): Promise<void> {
  const insert = database.prepare(`
    INSERT INTO jobs (state, available, next_attempt_at, created_at, updated_at, ${newColumns})
    VALUES ('pending', ?2 IS NULL, ?2, ?1, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO NOTHING`);
  await database.write(() => {
    const now = database.now();
    const existing = jobs.filter((job) => insert.run(now, dueAt(job, now), ...newValues(job)).changes === 0);
    if (existing.length > 0) throw idsExist(existing.map((job) => job.id));
    countNew(database, jobs.length);
  });
}

/** The time for which a job has to wait; null where it can run at once. */
function dueAt({ delay, at }: NewJob, now: number): number | null {
  const due = at ?? now + (delay ?? 0);
  return due > now ? due : null;
}

function countNew(database: Database, jobs: number): void {
  const tally = openTally(database);
  tally.move(null, "pending", jobs);
  tally.write();
}

/**
 * Collects jobs in a temporary table, which SQLite keeps on disk once it is large: memory stays flat, and the queue is
 * locked only while they are all moved over, not while they are still being read.
 */
export function openIntake(database: Database): Intake {
  const { connection } = database;
  // An id that was added already makes the second one fail, as two in the queue would.
  explained(
    database.path,
    () =>
      connection.exec(`
        CREATE TEMP TABLE intake (
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command, attempts, max_retries, priority, timeout,
          base_backoff, cwd, env, delay, at
        );
        BEGIN`),
  );
  const insert = connection.prepare(`
    INSERT INTO temp.intake (${newColumns}, delay, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING`);
  const values = (job: NewJob) => [...newValues(job), job.delay ?? null, job.at ?? null];
  const due = "coalesce(at, ?1 + coalesce(delay, 0))";
  let collecting = true;
  let count = 0;

  return {
    add(job) {
      if (explained(database.path, () => insert.run(...values(job)).changes) === 0) {
        throw addedTwice(job.id);
      }
      count++;
    },
    async commit() {
      connection.exec("COMMIT");
      collecting = false;
      return await database.write(() => {
        const { last } = connection.prepare("SELECT max(seq) AS last FROM main.jobs").get()!;
        const { changes } = connection.prepare(`
          INSERT INTO main.jobs (state, available, next_attempt_at, created_at, updated_at, ${newColumns})
          SELECT 'pending', ${due} <= ?1, nullif(max(${due}, ?1), ?1), ?1, ?1, ${newColumns}
          FROM temp.intake WHERE true ORDER BY number
          ON CONFLICT (id) DO NOTHING`).run(database.now());
        // Looked for only now: asking for each id beforehand would take as long as adding it.
        if (Number(changes) < count) {
          const existing = connection.prepare(`
            SELECT intake.id FROM temp.intake JOIN main.jobs USING (id) WHERE jobs.seq <= ? ORDER BY number LIMIT 6`)
            .all(last);
          throw idsExist(existing.map((row) => row.id as string));
        }
        countNew(database, Number(changes));
        failpoint("enqueue");
        return Number(changes);
      });
    },
    *ids() {
      for (const row of connection.prepare("SELECT id FROM temp.intake ORDER BY number").iterate()) {
        yield row.id as string;
      }
    },
    [Symbol.dispose]() {
      // A full disk has rolled back already.
      if (collecting && connection.isTransaction) connection.exec("ROLLBACK");
      connection.exec("DROP TABLE IF EXISTS temp.intake");
    },
  };
}
