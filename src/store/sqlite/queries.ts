/** Questions about jobs. */

import type { Attempt, Job, JobState } from "../../job/job.ts";
import { noJob, severalJobs } from "../refusals.ts";
import type { ListFilter } from "../store.ts";
import type { Database } from "./database.ts";
import { attemptColumns, attemptFromRow, jobColumns, jobFromRow, number, text } from "../rows.ts";

function counters(database: Database): Record<string, number> {
  const rows = database.prepare("SELECT name, value FROM counters").all();
  return Object.fromEntries(rows.map((row) => [text(row, "name"), number(row, "value")]));
}

/** The number of jobs in every state. */
export async function counts(database: Database): Promise<Record<JobState, number>> {
  const { died: _, ...states } = await database.read(() => counters(database));
  return states as Record<JobState, number>;
}

/** How many jobs ever became dead. */
export async function deaths(database: Database): Promise<number> {
  return (await database.read(() => counters(database))).died;
}

/** The newest jobs of the filter, oldest first. */
export async function list(database: Database, filter: ListFilter): Promise<Job[]> {
  const { state, limit } = filter;
  return await database.read(() => {
    const rows = state === undefined
      ? database.prepare(`SELECT ${jobColumns} FROM jobs ORDER BY seq DESC LIMIT ?`).all(limit)
      : database.prepare(`SELECT ${jobColumns} FROM jobs WHERE state = ? ORDER BY seq DESC LIMIT ?`).all(
        state,
        limit,
      );
    return rows.reverse().map(jobFromRow);
  });
}

/** What the last ended run printed. */
export async function lastOutput(
  database: Database,
  id: string,
): Promise<{ output: string; errorOutput: string } | null> {
  return await database.read(() => {
    const row = database.prepare(`
      SELECT ${attemptColumns} FROM attempts WHERE job = (SELECT seq FROM jobs WHERE id = ?) ORDER BY run DESC LIMIT 1`)
      .get(
        id,
      );
    return row === undefined ? null : attemptFromRow(row);
  });
}

/** The ended runs of a job, oldest first. */
export async function attempts(database: Database, id: string): Promise<Attempt[]> {
  return await database.read(() => {
    const job = findJob(database, id);
    if (!job) throw noJob(id);
    return database.prepare(`SELECT ${attemptColumns} FROM attempts WHERE job = ? ORDER BY run`).all(job.seq)
      .map(
        attemptFromRow,
      );
  });
}

/** A job by its whole id, or by a prefix that no other id has. Throws `usage` when several have it. */
export function findJob(
  database: Database,
  id: string,
): { seq: number; id: string; state: JobState } | undefined {
  const whole = database.prepare("SELECT seq, id, state FROM jobs WHERE id = ?").get(id);
  if (whole) return whole as never;
  // The first id after all those with this prefix is the bound: no LIKE, so no escaping and always the index.
  const found = id === "" ? [] : database.prepare(`
    SELECT seq, id, state FROM jobs WHERE id > ?1 AND id < ?1 || char(1114111) ORDER BY id LIMIT 2`).all(id);
  if (found.length < 2) return found[0] as never;
  throw severalJobs(id, String(found[0].id), String(found[1].id));
}
