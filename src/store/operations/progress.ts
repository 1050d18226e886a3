/** How far jobs are: for those who wait for them, follow them, or want to know all about one. */

import { momentOrNull } from "../columns.ts";
import { readable } from "../damage.ts";
import { aheadLimit, type JobDetail, type JobProgress, namedChildren, type Upcoming } from "../progress.ts";
import { noJob } from "../errors.ts";
import {
  endedRunColumns,
  endedRunFromRow,
  jobColumns,
  jobFromRow,
  number,
  numberOrNull,
  parentFromRow,
  progressColumns,
  progressFromRow,
  type Row,
  text,
  textOrNull,
} from "../rows.ts";
import { type Part, raw, type Sql, type Steps } from "../sql.ts";
import { requireJob } from "./find_jobs.ts";

/** What {@link progressFrom} reads. */
const columns = (sql: Sql): Part => (add) => `${progressColumns}, ${sql.now(add)} AS now`;

const progressFrom = (row: Row): JobProgress => progressFromRow(row, number(row, "now"));

/** How far the jobs of the ids are, in the order of these. */
export function* find(sql: Sql, ids: readonly string[]): Steps<JobProgress[]> {
  const jobs: JobProgress[] = [];
  for (const id of ids) {
    const { seq } = yield* requireJob(sql, id, noJob);
    const [row] = yield* sql`SELECT ${columns(sql)} FROM queuectl.jobs WHERE seq = ${seq}`;
    jobs.push(progressFrom(row));
  }
  return jobs;
}

/** How far the jobs with the keys are, as far as they are there. */
export function* progress(sql: Sql, seqs: readonly number[]): Steps<JobProgress[]> {
  const rows = yield* sql`SELECT ${columns(sql)} FROM queuectl.jobs WHERE seq ${sql.among(seqs)}`;
  return readable(rows, progressFrom, sql.tellDamage);
}

/** Running jobs, and the next ones. */
export function* upcoming(sql: Sql, limit: number): Steps<Upcoming> {
  const claimable = yield* sql.firstClaimable(limit);
  const due = yield* sql`
    SELECT seq, run FROM queuectl.jobs WHERE next_attempt_at IS NOT NULL
    ORDER BY next_attempt_at LIMIT ${limit} + 0`;
  const [last] = yield* sql`SELECT coalesce(max(seq), 0) AS last FROM queuectl.jobs`;
  // By an expression: SQLite would rather read all jobs in their order than sort a few.
  const running = yield* sql`SELECT ${columns(sql)} FROM queuectl.jobs WHERE ${sql.running} ORDER BY +seq`;
  return {
    last: number(last, "last"),
    running: readable(running, progressFrom, sql.tellDamage),
    next: readable(
      [...claimable, ...due],
      (row) => ({ seq: number(row, "seq"), run: number(row, "run") }),
      sql.tellDamage,
    ),
  };
}

/** The newer jobs that have run. */
export function* ranAfter(sql: Sql, seq: number): Steps<JobProgress[]> {
  const rows = yield* sql`
    SELECT ${columns(sql)} FROM queuectl.jobs WHERE seq > ${seq} AND run > 0 ORDER BY seq`;
  return readable(rows, progressFrom, sql.tellDamage);
}

/** Everything about a job. */
export function* detail(sql: Sql, id: string): Steps<JobDetail> {
  const { seq } = yield* requireJob(sql, id, noJob);
  const [row] = yield* sql`
    SELECT run, cancel_requested, stopped_run, available, worker, started_at, ${raw(jobColumns)},
      ${sql.now} AS now
    FROM queuectl.jobs WHERE seq = ${seq}`;
  const runs = yield* sql`
    SELECT ${raw(endedRunColumns)} FROM queuectl.attempts WHERE ${sql.runs.of(seq)}
    ORDER BY ${sql.runs.order}`;
  return {
    ...progressFrom(row),
    job: jobFromRow(row),
    runs: readable(runs, endedRunFromRow, sql.tellDamage),
    running: yield* runningOf(sql, row),
    ahead: yield* ahead(sql, row),
    ...yield* relatives(sql, seq),
  };
}

/** The run of a job that goes on. */
function* runningOf(sql: Sql, row: Row): Steps<JobDetail["running"]> {
  const startedAt = momentOrNull(row, "started_at");
  if (startedAt === null) return null;
  const worker = numberOrNull(row, "worker");
  const [process] = yield* sql`SELECT host, pid FROM queuectl.processes WHERE id = ${worker}`;
  return {
    host: process ? textOrNull(process, "host") : null,
    pid: process ? numberOrNull(process, "pid") : null,
    startedAt,
    duration: Math.max(0, number(row, "now") - startedAt),
  };
}

/** What a job waits for, and its dependants. */
function* relatives(sql: Sql, seq: number): Steps<Pick<JobDetail, "parents" | "children">> {
  const parents = yield* sql`
    SELECT parent.id, parent.state, parent.queue, parent.held, edge.kind FROM queuectl.dependencies AS edge
    CROSS JOIN queuectl.jobs AS parent WHERE parent.seq = edge.parent AND edge.child = ${seq}
    ORDER BY edge.open DESC, edge.parent`;
  const waiting: Part = (add) => `
    queuectl.dependencies AS edge CROSS JOIN queuectl.jobs AS child
    WHERE child.seq = edge.child AND edge.parent = ${add(seq)} AND edge.open
      AND child.state IN ('pending', 'failed')`;
  const children = yield* sql`SELECT child.id FROM ${waiting} ORDER BY edge.child LIMIT ${namedChildren} + 0`;
  const [{ count }] = yield* sql`SELECT count(*) AS count FROM ${waiting}`;
  return {
    parents: readable(parents, parentFromRow, sql.tellDamage),
    children: {
      ids: children.map((row) => text(row, "id")),
      count: Number(count),
    },
  };
}

/** How many jobs of its queue can be claimed before this one; null where it cannot. */
function* ahead(sql: Sql, row: Row): Steps<number | null> {
  if (row.available !== 1 && row.available !== true) return null;
  const [seq, queue, priority] = [number(row, "seq"), text(row, "queue"), number(row, "priority")];
  // Two ranges of the index; as one condition it would read all that come after this one too.
  const [{ jobs }] = yield* sql`
    SELECT count(*) AS jobs FROM (
      SELECT 1 FROM queuectl.jobs WHERE ${sql.claimable} AND queue = ${queue} AND priority > ${priority}
      UNION ALL
      SELECT 1 FROM queuectl.jobs
      WHERE ${sql.claimable} AND queue = ${queue} AND priority = ${priority} AND seq < ${seq}
      LIMIT ${aheadLimit} + 0
    ) AS before`;
  return Number(jobs);
}
