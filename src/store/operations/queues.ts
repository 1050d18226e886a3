/** Queues: what is set for them, and which jobs are in them. */

import { defaultQueueName } from "../../job/job.ts";
import { allQueues, type QueueSettings } from "../queues.ts";
import { type FoundJob, noQueue, queueHasJobs, queueStays } from "../errors.ts";
import { text } from "../rows.ts";
import { type Changed, changed } from "../side_effects.ts";
import { keysOf, raw, type Sql, type Steps } from "../sql.ts";

const columns: Record<keyof QueueSettings, [name: string, type: string]> = {
  paused: ["paused", "boolean"],
  concurrency: ["concurrency", "integer"],
  rate: ["rate", "integer"],
  ratePeriod: ["rate_period", "bigint"],
  maxRetries: ["max_retries", "integer"],
  timeout: ["timeout", "bigint"],
};

/** Makes the queue where there is none, and changes what is given. */
export function* setQueue(sql: Sql, name: string, changes: Partial<QueueSettings>): Steps<void> {
  yield* sql.lockQueues("claims");
  yield* sql`INSERT INTO queuectl.queues (name) VALUES (${name}) ON CONFLICT DO NOTHING`;
  for (const [field, value] of Object.entries(changes)) {
    const [column, type] = columns[field as keyof QueueSettings];
    yield* sql`
      UPDATE queuectl.queues SET ${raw(column)} = CAST(${value} AS ${raw(type)}) WHERE name = ${name}`;
  }
  if (changes.rate === null) yield* sql`DELETE FROM queuectl.starts WHERE queue = ${name}`;
  yield* sql.announce();
}

/** Pauses queues, or has them go on; all that are named, or none. */
export function* pauseQueues(sql: Sql, names: readonly string[], paused: boolean): Steps<void> {
  yield* sql.lockQueues("claims");
  const known = yield* namesOf(sql);
  for (const name of names) {
    if (!known.includes(name)) throw noQueue(name, known);
    yield* sql`UPDATE queuectl.queues SET paused = CAST(${paused} AS boolean) WHERE name = ${name}`;
  }
  yield* sql.announce();
}

/** The names of all queues, with that of all together. */
function* namesOf(sql: Sql): Steps<string[]> {
  const rows = yield* sql`SELECT name FROM queuectl.queues ORDER BY name`;
  return rows.map((row) => text(row, "name"));
}

/** The names of all queues. */
export function* queueNames(sql: Sql): Steps<string[]> {
  return (yield* namesOf(sql)).filter((name) => name !== allQueues);
}

/** A queue without jobs → (gone). */
export function* removeQueue(sql: Sql, name: string): Steps<void> {
  yield* sql.lockQueues("claims");
  const known = yield* namesOf(sql);
  if (name === allQueues || !known.includes(name)) throw noQueue(name, known);
  if (name === defaultQueueName) throw queueStays(name);
  const jobs = yield* sql.jobsOf(name);
  if (jobs !== 0) throw queueHasJobs(name, jobs);
  yield* sql.forgetQueue(name);
  yield* sql`DELETE FROM queuectl.starts WHERE queue = ${name}`;
  yield* sql`DELETE FROM queuectl.queues WHERE name = ${name}`;
  yield* sql.announce();
}

/** (a queue) → another one, for jobs that do not run. */
export function* moveJobs(sql: Sql, jobs: FoundJob[], queue: string): Steps<Changed> {
  if (jobs.length === 0) return changed([]);
  yield* sql`INSERT INTO queuectl.queues (name) VALUES (${queue}) ON CONFLICT DO NOTHING`;
  yield* sql`
    UPDATE queuectl.jobs SET queue = ${queue}, updated_at = ${sql.now} WHERE seq ${sql.among(keysOf(jobs))}`;
  sql.moved(jobs, { queue });
  yield* sql.announce();
  return changed(jobs);
}
