/** Queues: what is set for them, and how many jobs they have. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type Queue, queueColumns, type QueueSettings, queuesFromRows } from "../queues.ts";
import { noQueue, queueHasJobs, queueStays, scopes } from "../refusals.ts";
import { number, numberOrNull, type Row, text } from "../rows.ts";
import type { Selection } from "../store.ts";
import { rateDelay } from "./claimable.ts";
import { openTally, readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { change, choose } from "./selection.ts";

/** All queues by their names; the first is {@link allQueues}. */
export async function queues(database: Database): Promise<Queue[]> {
  return await database.read(() => {
    const counted = new Map<string, Record<JobState, number>>();
    const all = readCounters(database);
    const rest: Record<string, number> = { ...all };
    for (const row of database.prepare("SELECT queue, name, value FROM queue_counters").all()) {
      const [queue, state, jobs] = [text(row, "queue"), text(row, "name") as JobState, number(row, "value")];
      if (!counted.has(queue)) counted.set(queue, noJobs());
      counted.get(queue)![state] = jobs;
      rest[state] -= jobs;
    }
    const rows = database.prepare(`SELECT ${queueColumns} FROM queues ORDER BY name`).all();
    const now = database.now();
    return queuesFromRows(rows, (name) => {
      const counts = name === allQueues ? all : name === defaultQueueName ? rest : counted.get(name);
      return statesOf(counts ?? noJobs());
    }, (row) => nextStart(database, row, now));
  });
}

function nextStart(database: Database, row: Row, now: number): number | null {
  const rate = numberOrNull(row, "rate");
  if (rate === null) return null;
  const limit = { paused: false, concurrency: null, rate, period: number(row, "rate_period") };
  return rateDelay(database, limit, text(row, "name"), now);
}

const noJobs = () => Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;

const statesOf = (counts: Record<string, number>) =>
  Object.fromEntries(jobStates.map((state) => [state, counts[state]])) as Record<JobState, number>;

const columns: Record<keyof QueueSettings, string> = {
  paused: "paused",
  concurrency: "concurrency",
  rate: "rate",
  ratePeriod: "rate_period",
  maxRetries: "max_retries",
  timeout: "timeout",
};

/** Makes the queue where there is none, and changes what is given. */
export async function setQueue(
  database: Database,
  name: string,
  changes: Partial<QueueSettings>,
): Promise<void> {
  await database.write(() => {
    database.prepare("INSERT INTO queues (name) VALUES (?) ON CONFLICT DO NOTHING").run(name);
    for (const [field, value] of Object.entries(changes)) {
      database.prepare(`UPDATE queues SET ${columns[field as keyof QueueSettings]} = ? WHERE name = ?`)
        .run(typeof value === "boolean" ? Number(value) : value, name);
    }
    if (changes.rate === null) database.prepare("DELETE FROM starts WHERE queue = ?").run(name);
  });
}

/** Pauses queues, or has them go on; all that are named, or none. */
export async function pauseQueues(
  database: Database,
  names: readonly string[],
  paused: boolean,
): Promise<void> {
  await database.write(() => {
    const known = namesOf(database);
    for (const name of names) {
      if (!known.includes(name)) throw noQueue(name, known);
      database.prepare("UPDATE queues SET paused = ? WHERE name = ?").run(Number(paused), name);
    }
  });
}

const namesOf = (database: Database): string[] =>
  database.prepare("SELECT name FROM queues ORDER BY name").all().map((row) => text(row, "name"));

/** A queue without jobs → (gone). */
export async function removeQueue(database: Database, name: string): Promise<void> {
  await database.write(() => {
    const known = namesOf(database);
    if (name === allQueues || !known.includes(name)) throw noQueue(name, known);
    if (name === defaultQueueName) throw queueStays(name);
    const { jobs } = database.prepare(
      "SELECT coalesce(sum(value), 0) AS jobs FROM queue_counters WHERE queue = ?",
    ).get(name)!;
    if (jobs !== 0) throw queueHasJobs(name, Number(jobs));
    for (const table of ["queue_counters", "starts"]) {
      database.prepare(`DELETE FROM ${table} WHERE queue = ?`).run(name);
    }
    database.prepare("DELETE FROM queues WHERE name = ?").run(name);
  });
}

/** (a queue) → another one, for jobs that do not run. */
export async function moveJobs(database: Database, selection: Selection, queue: string): Promise<string[]> {
  return await database.write(() => {
    const jobs = choose(database, selection, scopes.move);
    if (jobs.length === 0) return [];
    database.prepare("INSERT INTO queues (name) VALUES (?) ON CONFLICT DO NOTHING").run(queue);
    change(
      database,
      "UPDATE jobs SET queue = :queue, updated_at = :now WHERE seq IN (:keys)",
      jobs,
      { queue, now: database.now() },
    );
    const tally = openTally(database);
    for (const job of jobs) {
      tally.move(job.state, null, 1, job.queue);
      tally.move(null, job.state, 1, queue);
    }
    tally.write();
    return jobs.map(({ id }) => id);
  });
}
