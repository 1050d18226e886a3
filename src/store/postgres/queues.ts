/** Queues: what is set for them, and how many jobs they have. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type Queue, queueColumns, queuesFromRows } from "../queues.ts";
import { number, numberOrNull, text } from "../rows.ts";
import { clockSql } from "./clock.ts";
import type { Database } from "./connection/database.ts";
import { nextStartSql } from "./limits.ts";

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
