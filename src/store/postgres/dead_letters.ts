/** The dead letter queue: jobs that have used up their attempts. */

import { noDeadJob, notDead } from "../refusals.ts";
import type { Selection } from "../store.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./database.ts";
import { notification } from "./notifications.ts";
import { findJob } from "./queries.ts";
import { asArray } from "./storable.ts";

/** dead → pending with attempts 0 and no error; the runs it had are kept. */
export async function dlqRetry(database: Database, jobs: Selection): Promise<string[]> {
  return await change(database, jobs, "retried", async (run, which, parameters) => {
    const now = timeSql(`$${parameters.length + 1}`);
    const rows = await run(
      `WITH retried AS (
        UPDATE queuectl.jobs SET state = 'pending', available = true, attempts = 0, last_error = NULL, updated_at = ${now}
        WHERE ${which} RETURNING seq, id
      ) SELECT id FROM retried ORDER BY seq`,
      [...parameters, database.now()],
    );
    const { text, parameters: payload } = notification(database);
    await run(text, payload);
    return rows;
  });
}

/** dead → (gone), with its attempts. */
export async function dlqPurge(database: Database, jobs: Selection): Promise<string[]> {
  return await change(database, jobs, "purged", (run, which, parameters) =>
    run(
      `WITH purged AS (DELETE FROM queuectl.jobs WHERE ${which} RETURNING seq, id),
        emptied AS (DELETE FROM queuectl.attempts WHERE job IN (SELECT seq FROM purged))
      SELECT id FROM purged ORDER BY seq`,
      parameters,
    ));
}

type Change = (
  run: Run,
  which: string,
  parameters: readonly unknown[],
) => Promise<Array<Record<string, unknown>>>;

async function change(
  database: Database,
  jobs: Selection,
  verb: "retried" | "purged",
  apply: Change,
): Promise<string[]> {
  return await database.transaction(async (run) => {
    if (jobs === "all") return (await apply(run, "state = 'dead'", [])).map((row) => row.id as string);
    // All are found before the first is changed, or a prefix could become unique by what was removed before it.
    const found = new Set<number>();
    for (const id of jobs) found.add(await findDeadJob(run, id, verb));
    const rows = await apply(run, "seq = ANY($1::bigint[])", [asArray([...found])]);
    return rows.map((row) => row.id as string);
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
}

async function findDeadJob(run: Run, id: string, verb: "retried" | "purged"): Promise<number> {
  const job = await findJob(run, id, "FOR UPDATE");
  if (!job) throw noDeadJob(id);
  if (job.state === "dead") return job.seq;
  throw notDead(job.id, job.state, verb);
}
