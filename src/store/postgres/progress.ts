/** How far jobs are: for those who wait for them, follow them, or want to know all about one. */

import type { Attempt } from "../../job/job.ts";
import { noJob } from "../refusals.ts";
import {
  attemptColumns,
  attemptFromRow,
  endedRunColumns,
  endedRunFromRow,
  jobColumns,
  jobFromRow,
  number,
  numberOrNull,
  parentFromRow,
  progressColumns,
  progressFromRow,
  text,
  textOrNull,
} from "../rows.ts";
import { readable } from "../damage.ts";
import { aheadLimit, type JobDetail, type JobProgress, namedChildren, type Upcoming } from "../progress.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./connection/database.ts";
import { requireJob } from "./queries.ts";
import { asJson } from "./storable.ts";

const readOnly = { readOnly: true };

const progressFrom = (row: Row) => progressFromRow(row, number(row, "now"));

/** How far the jobs of the ids are. */
export async function find(database: Database, ids: readonly string[]): Promise<JobProgress[]> {
  const found = await database.transaction(async (run) => {
    const jobs = [];
    for (const id of ids) {
      jobs.push(await requireJob(run, id, noJob));
    }
    return jobs;
  }, readOnly);
  const bySeq = new Map((await progress(database, found.map(({ seq }) => seq))).map((job) => [job.seq, job]));
  return found.map(({ seq, id }) => {
    const job = bySeq.get(seq);
    // It was removed in between.
    if (!job) throw noJob(id);
    return job;
  });
}

/** How far the jobs with the keys are, as far as they are there. */
export async function progress(database: Database, seqs: readonly number[]): Promise<JobProgress[]> {
  const [rows] = await database.batch([{
    text: `SELECT ${progressColumns}, ${timeSql("$1")} AS now FROM queuectl.jobs
      WHERE seq IN (SELECT value::bigint FROM json_array_elements_text($2::text::json))`,
    parameters: [database.now(), asJson(seqs)],
  }], readOnly);
  return readable(rows, progressFrom, database.tellDamage);
}

/** What runs, and what may run next. */
export async function upcoming(database: Database, limit: number): Promise<Upcoming> {
  const [[last], running, claimable, due] = await database.batch([
    { text: "SELECT coalesce(max(seq), 0) AS last FROM queuectl.jobs" },
    {
      text: `SELECT ${progressColumns}, ${timeSql("$1")} AS now FROM queuectl.jobs
        WHERE state = 'processing' ORDER BY seq`,
      parameters: [database.now()],
    },
    {
      text: `SELECT seq, run FROM queuectl.queues CROSS JOIN LATERAL (
        SELECT seq, run, priority FROM queuectl.jobs WHERE available AND queue = name
        ORDER BY priority DESC, seq LIMIT $1
      ) AS first ORDER BY priority DESC, seq LIMIT $1`,
      parameters: [limit],
    },
    {
      text: `SELECT seq, run FROM queuectl.jobs WHERE next_attempt_at IS NOT NULL
        ORDER BY next_attempt_at LIMIT $1`,
      parameters: [limit],
    },
  ], readOnly);
  return {
    last: number(last, "last"),
    running: readable(running, progressFrom, database.tellDamage),
    next: [...claimable, ...due].map((row) => ({ seq: number(row, "seq"), run: number(row, "run") })),
  };
}

/** The newer jobs that have run. */
export async function ranAfter(database: Database, seq: number): Promise<JobProgress[]> {
  const [rows] = await database.batch([{
    text: `SELECT ${progressColumns}, ${timeSql("$1")} AS now FROM queuectl.jobs
      WHERE seq > $2 AND run > 0 ORDER BY seq`,
    parameters: [database.now(), seq],
  }], readOnly);
  return readable(rows, progressFrom, database.tellDamage);
}

/** Everything about a job. */
export async function detail(database: Database, id: string): Promise<JobDetail> {
  return await database.transaction(async (run) => {
    const found = await requireJob(run, id, noJob);
    const [row] = await run(
      `SELECT seq, run, cancel_requested, stopped_run, available, started_at, ${jobColumns}, ${
        timeSql("$1")
      } AS now,
         process.host AS worker_host, process.pid AS worker_pid
       FROM queuectl.jobs AS job
       LEFT JOIN (SELECT id AS process, host, pid FROM queuectl.processes) AS process ON process.process = job.worker
       WHERE seq = $2`,
      [database.now(), found.seq],
    );
    const runs = await run(
      `SELECT ${endedRunColumns} FROM queuectl.attempts WHERE job = $1 ORDER BY run`,
      [found.seq],
    );
    const startedAt = numberOrNull(row, "started_at");
    return {
      ...progressFrom(row),
      job: jobFromRow(row),
      runs: readable(runs, endedRunFromRow, database.tellDamage),
      running: startedAt === null ? null : {
        host: textOrNull(row, "worker_host"),
        pid: numberOrNull(row, "worker_pid"),
        startedAt,
        duration: Math.max(0, number(row, "now") - startedAt),
      },
      ahead: row.available === true ? await ahead(run, row) : null,
      ...await relatives(run, found.seq),
    };
  }, readOnly);
}

/** What a job waits for, and what waits for it. */
async function relatives(run: Run, seq: number): Promise<Pick<JobDetail, "parents" | "children">> {
  const parents = await run(
    `SELECT parent.id, parent.state, parent.queue, parent.held, edge.kind FROM queuectl.dependencies AS edge
     JOIN queuectl.jobs AS parent ON parent.seq = edge.parent WHERE edge.child = $1
     ORDER BY edge.open DESC, edge.parent`,
    [seq],
  );
  const children = await run(
    `SELECT child.id FROM queuectl.dependencies AS edge JOIN queuectl.jobs AS child ON child.seq = edge.child
     WHERE edge.parent = $1 AND edge.open AND child.state IN ('pending', 'failed')
     ORDER BY edge.child LIMIT ${aheadLimit}`,
    [seq],
  );
  return {
    parents: parents.map(parentFromRow),
    children: {
      ids: children.slice(0, namedChildren).map((row) => text(row, "id")),
      count: children.length,
    },
  };
}

/** How many jobs of its queue can be claimed before this one. */
async function ahead(run: Run, row: Row): Promise<number> {
  // Two ranges of the index; as one condition it would read all that come after this one too.
  const [{ count }] = await run(
    `SELECT count(*)::integer AS count FROM (
       SELECT 1 FROM queuectl.jobs WHERE available AND queue = $3 AND priority > $1
       UNION ALL SELECT 1 FROM queuectl.jobs WHERE available AND queue = $3 AND priority = $1 AND seq < $2
       LIMIT ${aheadLimit}
     ) AS before`,
    [number(row, "priority"), number(row, "seq"), row.queue],
  );
  return Number(count);
}

/** The first ended run after another. */
export async function runAfter(database: Database, seq: number, run: number): Promise<Attempt | null> {
  const [[row]] = await database.batch([{
    text: `SELECT ${attemptColumns} FROM queuectl.attempts WHERE job = $1 AND run > $2 ORDER BY run LIMIT 1`,
    parameters: [seq, run],
  }], readOnly);
  return row === undefined ? null : attemptFromRow(row);
}
