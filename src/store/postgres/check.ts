/** Looks for data that breaks the invariants of schema.ts; the pages themselves are the server's to check. */

import { jobStates, outcomeKinds } from "../../job/job.ts";
import { damageReport, readQueue, readRun, readSetting, readWholeJob } from "../damage_report.ts";
import { queueColumns } from "../queues.ts";
import {
  endedRunColumns,
  environment,
  jobColumns,
  number,
  processColumns,
  processFromRow,
  retryRules,
  type Row,
} from "../rows.ts";
import type { Database } from "./connection/database.ts";

/** Rows that are read at once. */
const page = 500;

/** Statements that count rows which break an invariant, and what such rows mean. */
const invariants: Array<[string, string]> = [
  [
    `SELECT count(*) AS n FROM queuectl.jobs WHERE state NOT IN (${
      jobStates.map((state) => `'${state}'`).join(", ")
    })`,
    "jobs are in a state that does not exist",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE (state = 'processing') <> (worker IS NOT NULL)",
    "jobs run without a worker, or have one without running",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE cancel_requested AND state <> 'processing'",
    "jobs are to be ended without running",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE available AND state NOT IN ('pending', 'failed')",
    "jobs that are not waiting could be claimed",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.jobs
     WHERE state IN ('pending', 'failed') AND NOT available AND next_attempt_at IS NULL AND NOT held AND blocked = 0`,
    "jobs wait for nothing and would wait for ever",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.attempts WHERE job NOT IN (SELECT seq FROM queuectl.jobs)",
    "runs are of jobs that do not exist",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.output AS output WHERE NOT EXISTS (
       SELECT 1 FROM queuectl.jobs WHERE seq = output.job AND run = output.run AND state = 'processing')`,
    "pieces of output are of runs that have ended",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT state, sum(n) FROM (
         SELECT state, 1 AS n FROM queuectl.jobs
         UNION ALL ${
      jobStates.map((state) => `SELECT '${state}', -sum(${state}) FROM queuectl.counters`).join(" UNION ALL ")
    }
       ) AS counted GROUP BY state HAVING sum(n) <> 0::numeric
     ) AS wrong`,
    "counts of `status` differ from the jobs",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE available AND (held OR blocked > 0)",
    "jobs could be claimed although they are held or wait for others",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE held AND state NOT IN ('pending', 'failed')",
    "jobs are held without waiting",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.jobs
     WHERE (held_before OR due_before IS NOT NULL) AND state <> 'cancelled'`,
    "jobs say how they come back, and are not cancelled",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT queue, state, sum(n) FROM (
         SELECT queue, state, 1 AS n FROM queuectl.jobs WHERE queue <> 'default'
         UNION ALL ${
      jobStates.map((state) => `SELECT queue, '${state}', -${state} FROM queuectl.queue_counters`).join(
        " UNION ALL ",
      )
    }
       ) AS counted GROUP BY queue, state HAVING sum(n) <> 0::numeric
     ) AS wrong`,
    "counts of queues differ from the jobs",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.jobs WHERE queue NOT IN (SELECT name FROM queuectl.queues)",
    "jobs are in a queue that does not exist",
  ],
  [
    "SELECT 2 - count(*) AS n FROM queuectl.queues WHERE name IN ('', 'default')",
    "queues are missing that are always there",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.queues WHERE concurrency < 1 OR rate < 1 OR (rate IS NULL) <> (rate_period IS NULL)",
    "queues have a limit that nothing can keep",
  ],
  [
    "SELECT count(*) AS n FROM queuectl.starts WHERE queue NOT IN (SELECT name FROM queuectl.queues WHERE rate IS NOT NULL)",
    "starts are counted for queues without a rate",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT tag, job, sum(n) FROM (
         SELECT tag, job, 1 AS n FROM queuectl.tags
         UNION ALL SELECT DISTINCT tag.value COLLATE "C", seq, -1
           FROM queuectl.jobs, json_array_elements_text(tags::json) AS tag (value) WHERE tags IS NOT NULL
       ) AS counted GROUP BY tag, job HAVING sum(n) <> 0
     ) AS wrong`,
    "tags differ from those of the jobs",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT job, sum(n) FROM (
         SELECT seq AS job, blocked AS n FROM queuectl.jobs WHERE blocked <> 0
         UNION ALL SELECT child, -1 FROM queuectl.dependencies WHERE open
       ) AS counted GROUP BY job HAVING sum(n) <> 0
     ) AS wrong`,
    "jobs wait for another number of jobs than they say",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.dependencies AS edge JOIN queuectl.jobs AS parent ON parent.seq = edge.parent
     WHERE edge.open <> (parent.state IN ('pending', 'processing', 'failed'))`,
    "jobs wait for one that has ended, or not for one that has not",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.dependencies AS edge JOIN queuectl.jobs AS child ON child.seq = edge.child
     WHERE edge.broken AND (edge.open OR edge.kind <> 'success' OR child.state <> 'cancelled')`,
    "jobs are said to be cancelled because of another one, and are not",
  ],
  [
    `SELECT count(*) AS n FROM queuectl.dependencies AS edge
     WHERE NOT EXISTS (SELECT 1 FROM queuectl.jobs WHERE seq = edge.parent)
       OR NOT EXISTS (SELECT 1 FROM queuectl.jobs WHERE seq = edge.child)`,
    "dependencies are of jobs that do not exist",
  ],
];

/** Every problem found, in words; empty when the data is sound. Reads all of it. */
export async function check(database: Database): Promise<string[]> {
  const damage = await damagedRows(database);
  try {
    return [...damage, ...await brokenInvariants(database)];
  } catch (error) {
    // What cannot be read keeps others from being counted.
    if (damage.length > 0) return damage;
    throw error;
  }
}

/** What breaks an invariant, counted. */
async function brokenInvariants(database: Database): Promise<string[]> {
  const answers = await database.batch(invariants.map(([text]) => ({ text })), {
    readOnly: true,
    pace: "slow",
  });
  const problems = answers.flatMap(([row], index) => {
    const count = number(row, "n");
    return count === 0 ? [] : [`${count} ${invariants[index][1]}`];
  });
  for (const { column, read, meaning } of texts) {
    const unreadable = await countUnreadable(database, column, read);
    if (unreadable > 0) problems.push(`${unreadable} jobs have ${meaning} that cannot be read`);
  }
  return problems;
}

/** The rows that cannot be read, named. */
async function damagedRows(database: Database): Promise<string[]> {
  const report = damageReport();
  const effort = { readOnly: true, pace: "slow" } as const;
  async function inPages(table: string, columns: string, key: string, read: (row: Row) => unknown) {
    for (let last = 0;;) {
      const [rows] = await database.batch([{
        text:
          `SELECT ${columns} FROM queuectl.${table} WHERE ${key} > $1::bigint ORDER BY ${key} LIMIT ${page}`,
        parameters: [last],
      }], effort);
      report.look(rows, read);
      const next = rows.at(-1)?.[key];
      // Behind a key that no number can be nothing can be asked for.
      if (rows.length < page || !Number.isSafeInteger(next)) return;
      last = next as number;
    }
  }
  await inPages("jobs", `${jobColumns}, run, claim`, "seq", readWholeJob);
  const [runs, processes, queues, settings] = await database.batch([
    // All others are as few as its type allows.
    {
      text: `SELECT ${endedRunColumns}, job FROM queuectl.attempts
        WHERE abs(started_at) > 8640000000000000 OR abs(ended_at) > 8640000000000000
          OR outcome <> ALL (ARRAY[${outcomeKinds.map((kind) => `'${kind}'`).join(", ")}]) LIMIT 100`,
    },
    { text: `SELECT ${processColumns} FROM queuectl.processes` },
    { text: `SELECT ${queueColumns} FROM queuectl.queues` },
    { text: "SELECT key, value FROM queuectl.config" },
  ], effort);
  report.look(runs, readRun);
  report.look(processes, (row) => processFromRow(row, 0, new Map()));
  report.look(queues, readQueue);
  report.look(settings, readSetting);
  return report.lines();
}

/** Columns with JSON, which is read as a worker does: before version 16 no server can try a text as JSON. */
const texts = [
  { column: "env", read: environment, meaning: "variables" },
  { column: "retry_rules", read: retryRules, meaning: "rules of retries" },
];

/** Jobs in which a text is not what was stored. */
async function countUnreadable(
  database: Database,
  column: string,
  read: (row: Row) => unknown,
): Promise<number> {
  let count = 0;
  for (let last = 0;;) {
    const [rows] = await database.batch([{
      text:
        `SELECT seq, ${column} FROM queuectl.jobs WHERE ${column} IS NOT NULL AND seq > $1 ORDER BY seq LIMIT ${page}`,
      parameters: [last],
    }], { readOnly: true, pace: "slow" });
    count += rows.filter((row) => read(row) === undefined).length;
    if (rows.length < page) return count;
    last = number(rows.at(-1)!, "seq");
  }
}
