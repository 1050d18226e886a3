/** Questions about jobs. */

import type { Attempt, Job, JobState } from "../../job/job.ts";
import { noJob, severalJobs } from "../refusals.ts";
import type { FoundRun, ListFilter } from "../store.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { attemptsOf, claimable } from "./schema.ts";
import { attemptColumns, attemptFromRow, jobColumns, jobFromRow } from "../rows.ts";

/** The number of jobs in every state. */
export async function counts(database: Database): Promise<Record<JobState, number>> {
  const { died: _, ...states } = await database.read(() => readCounters(database));
  return states;
}

/** How many jobs ever became dead. */
export async function deaths(database: Database): Promise<number> {
  return (await database.read(() => readCounters(database))).died;
}

/** The newest jobs of the filter, oldest first. */
export async function list(database: Database, filter: ListFilter): Promise<Job[]> {
  const { state, limit } = filter;
  return await database.read(() => {
    const condition = state === undefined ? "" : `WHERE ${conditionFor(database, state)}`;
    const rows = database.prepare(`SELECT ${jobColumns} FROM jobs ${condition} ORDER BY seq DESC LIMIT ? + 0`)
      .all(limit);
    return rows.reverse().map(jobFromRow);
  });
}

/** How the jobs of a state are found: each has an index, but for those that are most of a queue. */
function conditionFor(database: Database, state: JobState): string {
  switch (state) {
    case "processing":
      return listed("worker IS NOT NULL");
    case "failed":
      return `state = 'failed' AND ${waiting}`;
    case "dead":
    case "cancelled":
      return `state = '${state}' AND set_aside IS NOT NULL`;
    case "pending": {
      // Sorting what waits is quicker than reading past everything else, where there is more of that.
      const { died: _, ...counts } = readCounters(database);
      const others = Object.values(counts).reduce((sum, count) => sum + count) - counts.pending;
      return counts.pending < others ? `state = 'pending' AND ${waiting}` : "state = 'pending'";
    }
    case "completed":
      return "state = 'completed'";
  }
}

/** Has an index asked first: SQLite would rather read all jobs in their order than sort a few. */
const listed = (condition: string) => `seq IN (SELECT seq FROM jobs WHERE ${condition})`;

/** Holds for the jobs that wait for a worker or for a time. */
const waiting = `(${listed(claimable)} OR ${listed("next_attempt_at IS NOT NULL")})`;

/** What the last ended run printed. */
export async function lastOutput(
  database: Database,
  id: string,
): Promise<{ output: string; errorOutput: string } | null> {
  return await database.read(() => {
    const row = database.prepare(`
      SELECT ${attemptColumns} FROM attempts WHERE ${
      attemptsOf("(SELECT seq FROM jobs WHERE id = ?1)")
    } ORDER BY key DESC LIMIT 1`).get(id);
    return row === undefined ? null : attemptFromRow(row);
  });
}

/** The ended runs of a job, oldest first. */
export async function attempts(database: Database, id: string): Promise<Attempt[]> {
  return await database.read(() => {
    const job = findJob(database, id);
    if (!job) throw noJob(id);
    return database.prepare(`SELECT ${attemptColumns} FROM attempts WHERE ${attemptsOf("?1")} ORDER BY key`)
      .all(job.seq)
      .map(
        attemptFromRow,
      );
  });
}

/** A job and its run that goes on. */
export async function findRun(database: Database, id: string): Promise<FoundRun> {
  return await database.read(() => {
    const job = findJob(database, id);
    if (!job) throw noJob(id);
    if (job.state !== "processing") return { id: job.id, running: null };
    const { run } = database.prepare("SELECT run FROM jobs WHERE seq = ?").get(job.seq)!;
    return { id: job.id, running: { seq: job.seq, run: run as number } };
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
