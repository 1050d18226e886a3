/** Queues: what is set for them, and how many jobs they have. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type Queue, queueColumns, queuesFromRows } from "../queues.ts";
import { number, numberOrNull, type Row, text } from "../rows.ts";
import { rateDelay } from "./claimable.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";

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
