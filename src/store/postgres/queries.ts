/** Questions about jobs. */

import type { Attempt, Job, JobState } from "../../job/job.ts";
import { jobStates } from "../../job/job.ts";
import { noJob, severalJobs } from "../refusals.ts";
import { attemptColumns, attemptFromRow, jobColumns, jobFromRow, number } from "../rows.ts";
import type { FoundRun, ListFilter } from "../store.ts";
import type { Database, Run } from "./database.ts";

const readOnly = { readOnly: true };

async function counters(database: Database, names: readonly string[]): Promise<Record<string, number>> {
  const columns = names.map((name) => `sum(${name})::bigint AS ${name}`).join(", ");
  const [[row]] = await database.batch([{ text: `SELECT ${columns} FROM queuectl.counters` }], readOnly);
  return Object.fromEntries(names.map((name) => [name, number(row, name)]));
}

/** The number of jobs in every state. */
export async function counts(database: Database): Promise<Record<JobState, number>> {
  return await counters(database, jobStates) as Record<JobState, number>;
}

/** How many jobs ever became dead. */
export async function deaths(database: Database): Promise<number> {
  return (await counters(database, ["died"])).died;
}

/** The newest jobs of the filter, oldest first. */
export async function list(database: Database, { state, limit }: ListFilter): Promise<Job[]> {
  const [rows] = await database.batch([{
    text: state === undefined
      ? `SELECT ${jobColumns} FROM queuectl.jobs ORDER BY seq DESC LIMIT $1`
      : `SELECT ${jobColumns} FROM queuectl.jobs WHERE state = $2 ORDER BY seq DESC LIMIT $1`,
    parameters: state === undefined ? [limit] : [limit, state],
  }], { readOnly: true, pace: "slow" });
  return rows.reverse().map(jobFromRow);
}

/** What the last ended run printed. */
export async function lastOutput(
  database: Database,
  id: string,
): Promise<{ output: string; errorOutput: string } | null> {
  const [[row]] = await database.batch([{
    text: `SELECT ${attemptColumns} FROM queuectl.attempts
      WHERE job = (SELECT seq FROM queuectl.jobs WHERE id = $1) ORDER BY run DESC LIMIT 1`,
    parameters: [id],
  }], readOnly);
  return row === undefined ? null : attemptFromRow(row);
}

/** The ended runs of a job, oldest first. */
export async function attempts(database: Database, id: string): Promise<Attempt[]> {
  return await database.transaction(async (run) => {
    const job = await findJob(run, id);
    if (!job) throw noJob(id);
    const rows = await run(
      `SELECT ${attemptColumns} FROM queuectl.attempts WHERE job = $1 ORDER BY run`,
      [job.seq],
    );
    return rows.map(attemptFromRow);
  }, readOnly);
}

/** A job and its run that goes on. */
export async function findRun(database: Database, id: string): Promise<FoundRun> {
  return await database.transaction(async (run) => {
    const job = await findJob(run, id);
    if (!job) throw noJob(id);
    if (job.state !== "processing") return { id: job.id, running: null };
    const [row] = await run("SELECT run FROM queuectl.jobs WHERE seq = $1", [job.seq]);
    return { id: job.id, running: { seq: job.seq, run: number(row, "run") } };
  }, readOnly);
}

/** A job as far as it has to be known before it is changed. */
export interface FoundJob {
  seq: number;
  id: string;
  state: JobState;
}

/**
 * A job by its whole id, or by a prefix that no other id has. With `lock` nobody else changes it in this transaction.
 * Throws `usage` when several have the prefix.
 */
export async function findJob(
  run: Run,
  id: string,
  lock: "" | "FOR UPDATE" = "",
): Promise<FoundJob | undefined> {
  // No id has a NUL, and PostgreSQL takes none.
  if (id === "" || id.includes("\0")) return undefined;
  const columns = "SELECT seq, id, state FROM queuectl.jobs";
  const [whole] = await run(`${columns} WHERE id = $1 ${lock}`, [id]);
  if (whole) return whole as never;
  // The first id after all those with this prefix is the bound: no LIKE, so no escaping and always the index.
  const found = await run(
    `${columns} WHERE id > $1 AND id < $1 || chr(1114111) ORDER BY id LIMIT 2 ${lock}`,
    [id],
  );
  if (found.length < 2) return found[0] as never;
  throw severalJobs(id, String(found[0].id), String(found[1].id));
}
