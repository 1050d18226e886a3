/** Queues: what is set for them, and how many jobs they have. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type Queue, queueColumns, type QueueSettings, queuesFromRows } from "../queues.ts";
import { noQueue, queueHasJobs, queueStays, scopes } from "../refusals.ts";
import { number, numberOrNull, text } from "../rows.ts";
import type { Selection } from "../store.ts";
import { clockSql, timeSql } from "./clock.ts";
import type { Database, Effort, Run } from "./connection/database.ts";
import { nextStartSql } from "./limits.ts";
import { notification } from "./connection/notifications.ts";
import { choose } from "./selection.ts";
import { asArray } from "./storable.ts";

/** All queues by their names; the first is {@link allQueues}. */
export async function queues(database: Database): Promise<Queue[]> {
  const sums = jobStates.map((state) => `coalesce(sum(${state}), 0)::bigint AS ${state}`).join(", ");
  const [[total], counted, rows] = await database.batch([
    { text: `SELECT ${sums} FROM queuectl.counters` },
    { text: `SELECT queue, ${sums} FROM queuectl.queue_counters GROUP BY queue` },
    {
      text: `WITH ${clockSql("$1")} SELECT ${queueColumns}, ${nextStartSql} - now AS next_start
        FROM queuectl.queues, clock ORDER BY name`,
      parameters: [database.now()],
    },
  ], { readOnly: true });
  const byQueue = new Map(counted.map((row) => [text(row, "queue"), row]));
  const countsOf = (name: string) => {
    const count = (state: JobState) => {
      if (name === allQueues) return number(total, state);
      if (name !== defaultQueueName) return byQueue.has(name) ? number(byQueue.get(name)!, state) : 0;
      return counted.reduce((rest, row) => rest - number(row, state), number(total, state));
    };
    return Object.fromEntries(jobStates.map((state) => [state, count(state)])) as Record<JobState, number>;
  };
  return queuesFromRows(rows, countsOf, (row) => numberOrNull(row, "next_start"));
}

const columns: Record<keyof QueueSettings, [name: string, type: string]> = {
  paused: ["paused", "boolean"],
  concurrency: ["concurrency", "integer"],
  rate: ["rate", "integer"],
  ratePeriod: ["rate_period", "bigint"],
  maxRetries: ["max_retries", "integer"],
  timeout: ["timeout", "bigint"],
};

/**
 * Runs `body` while nobody claims anything, and wakes all workers. Whoever claims holds the lock of a reader for update
 * on this table until the end of the transaction: so a new limit counts for all that begins later, and before it is
 * acknowledged all has ended that did not know it.
 */
async function betweenClaims<T>(
  database: Database,
  body: (run: Run) => Promise<T>,
  effort: Effort = {},
): Promise<T> {
  return await database.transaction(async (run) => {
    await run("LOCK TABLE queuectl.queues IN EXCLUSIVE MODE");
    const result = await body(run);
    const { text, parameters } = notification(database);
    await run(text, parameters);
    return result;
  }, effort);
}

/** Makes the queue where there is none, and changes what is given. */
export async function setQueue(
  database: Database,
  name: string,
  changes: Partial<QueueSettings>,
): Promise<void> {
  await betweenClaims(database, async (run) => {
    await run("INSERT INTO queuectl.queues (name) VALUES ($1) ON CONFLICT DO NOTHING", [name]);
    for (const [field, value] of Object.entries(changes)) {
      const [column, type] = columns[field as keyof QueueSettings];
      await run(`UPDATE queuectl.queues SET ${column} = $2::${type} WHERE name = $1`, [name, value]);
    }
    if (changes.rate === null) await run("DELETE FROM queuectl.starts WHERE queue = $1", [name]);
  });
}

/** Pauses queues, or has them go on; all that are named, or none. */
export async function pauseQueues(
  database: Database,
  names: readonly string[],
  paused: boolean,
): Promise<void> {
  await betweenClaims(database, async (run) => {
    const known = await namesOf(run);
    for (const name of names) {
      if (!known.includes(name)) throw noQueue(name, known);
      await run("UPDATE queuectl.queues SET paused = $2::boolean WHERE name = $1", [name, paused]);
    }
  });
}

const namesOf = async (run: Run): Promise<string[]> =>
  (await run("SELECT name FROM queuectl.queues ORDER BY name")).map((row) => text(row, "name"));

/** A queue without jobs → (gone). */
export async function removeQueue(database: Database, name: string): Promise<void> {
  await betweenClaims(database, async (run) => {
    const known = await namesOf(run);
    if (name === allQueues || !known.includes(name)) throw noQueue(name, known);
    if (name === defaultQueueName) throw queueStays(name);
    const [row] = await run(
      `SELECT coalesce(sum(${jobStates.join(" + ")}), 0)::bigint AS jobs FROM queuectl.queue_counters
       WHERE queue = $1`,
      [name],
    );
    if (number(row, "jobs") !== 0) throw queueHasJobs(name, number(row, "jobs"));
    // The rows of the counters are left: other sessions may be about to change them.
    await run("DELETE FROM queuectl.starts WHERE queue = $1", [name]);
    await run("DELETE FROM queuectl.queues WHERE name = $1", [name]);
    // A second time there would be none.
  }, { unknown: "tell" });
}

/** (a queue) → another one, for jobs that do not run. */
export async function moveJobs(database: Database, selection: Selection, queue: string): Promise<string[]> {
  return await database.transaction(async (run) => {
    // First of all, as an enqueue does: the table is locked before any job.
    await run("LOCK TABLE queuectl.queues IN ROW EXCLUSIVE MODE");
    const jobs = await choose(database, run, selection, scopes.move);
    if (jobs.length === 0) return [];
    await run("INSERT INTO queuectl.queues (name) VALUES ($1) ON CONFLICT DO NOTHING", [queue]);
    await run(
      `UPDATE queuectl.jobs SET queue = $1, updated_at = ${timeSql("$2")} WHERE seq = ANY($3::bigint[])`,
      [queue, database.now(), asArray(jobs.map(({ seq }) => seq))],
    );
    const { text, parameters } = notification(database);
    await run(text, parameters);
    return jobs.map(({ id }) => id);
  }, { pace: "slow" });
}
