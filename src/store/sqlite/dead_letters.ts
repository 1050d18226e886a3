/** The dead letter queue: jobs that have used up their attempts. */

import { noDeadJob, notDead } from "../refusals.ts";
import type { Selection } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { findJob } from "./queries.ts";
import { attemptsOf } from "./schema.ts";

/** dead → pending with attempts 0 and no error; the runs it had are kept. */
export async function dlqRetry(database: Database, jobs: Selection): Promise<string[]> {
  return await change(
    database,
    jobs,
    "retried",
    `UPDATE jobs SET state = 'pending', set_aside = NULL, available = 1, attempts = 0, last_error = NULL, updated_at = :now`,
  );
}

/** dead → (gone), with its attempts. */
export async function dlqPurge(database: Database, jobs: Selection): Promise<string[]> {
  return await change(database, jobs, "purged", "DELETE FROM jobs");
}

async function change(
  database: Database,
  jobs: Selection,
  verb: "retried" | "purged",
  statement: string,
): Promise<string[]> {
  return await database.write(() => {
    const now = database.now();
    const parameters: Record<string, number> = statement.includes(":now") ? { now } : {};
    // All are found before the first is changed, or a prefix could become unique by what was removed before it.
    const rows = jobs === "all"
      ? database.prepare(`${statement} WHERE state = 'dead' AND set_aside IS NOT NULL RETURNING seq, id`).all(
        parameters,
      )
      : [...new Set(jobs.map((id) => findDeadJob(database, id, verb)))].map((seq) =>
        database.prepare(`${statement} WHERE seq = :seq RETURNING seq, id`).get({ ...parameters, seq })!
      );
    if (verb === "purged") {
      const forget = database.prepare(`DELETE FROM attempts WHERE ${attemptsOf("?1")}`);
      for (const { seq } of rows) forget.run(seq);
    }
    const tally = openTally(database);
    tally.move("dead", verb === "purged" ? null : "pending", rows.length);
    tally.write();
    rows.sort((a, b) => Number(a.seq) - Number(b.seq));
    return rows.map((row) => row.id as string);
  });
}

function findDeadJob(database: Database, id: string, verb: "retried" | "purged"): number {
  const job = findJob(database, id);
  if (!job) throw noDeadJob(id);
  if (job.state === "dead") return job.seq;
  throw notDead(job.id, job.state, verb);
}
