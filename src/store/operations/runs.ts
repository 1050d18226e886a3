/** The runs of jobs that have ended, and those that go on. */

import type { Attempt } from "../../job/job.ts";
import { noJob } from "../errors.ts";
import { attemptColumns, attemptFromRow, number } from "../rows.ts";
import { raw, type Sql, type Steps } from "../sql.ts";
import type { FoundRun } from "../store.ts";
import { requireJob } from "./find_jobs.ts";

const columns = raw(attemptColumns);

/** The ended runs of a job, oldest first. */
export function* attempts(sql: Sql, id: string): Steps<Attempt[]> {
  const { seq } = yield* requireJob(sql, id, noJob);
  const rows = yield* sql`
    SELECT ${columns} FROM queuectl.attempts WHERE ${sql.runs.of(seq)} ORDER BY ${sql.runs.order}`;
  return rows.map(attemptFromRow);
}

/** What the last ended run printed; null before there was one. */
export function* lastOutput(sql: Sql, id: string): Steps<Pick<Attempt, "output" | "errorOutput"> | null> {
  const [job] = yield* sql`SELECT seq FROM queuectl.jobs WHERE id = ${id}`;
  if (job === undefined) return null;
  const [row] = yield* sql`
    SELECT ${columns} FROM queuectl.attempts WHERE ${sql.runs.of(number(job, "seq"))}
    ORDER BY ${sql.runs.order} DESC LIMIT 1`;
  return row === undefined ? null : attemptFromRow(row);
}

/** The first ended run after another. */
export function* runAfter(sql: Sql, seq: number, run: number): Steps<Attempt | null> {
  const [row] = yield* sql`
    SELECT ${columns} FROM queuectl.attempts WHERE ${sql.runs.of(seq)} AND ${sql.runs.after(seq, run)}
    ORDER BY ${sql.runs.order} LIMIT 1`;
  return row === undefined ? null : attemptFromRow(row);
}

/** A job and its run that goes on. */
export function* findRun(sql: Sql, id: string): Steps<FoundRun> {
  const job = yield* requireJob(sql, id, noJob);
  if (job.state !== "processing") return { id: job.id, running: null };
  const [row] = yield* sql`SELECT run FROM queuectl.jobs WHERE seq = ${job.seq}`;
  return { id: job.id, running: { seq: job.seq, run: number(row, "run") } };
}
