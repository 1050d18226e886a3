/** Questions about jobs. */

import type { Attempt, JobState } from "../../job/job.ts";
import { nearestId } from "../../base/nearest.ts";
import { allQueues, type KeptBack } from "../queues.ts";
import { type FoundJob, noJob, type Scope, severalJobs } from "../refusals.ts";
import { attemptColumns, attemptFromRow, foundJob, number, text } from "../rows.ts";
import type { FoundRun } from "../store.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { attemptsOf } from "./attempt_key.ts";
import { blocked, claimable } from "./schema.ts";

/** The number of jobs in every state. */
export async function counts(database: Database): Promise<Record<JobState, number>> {
  const { died: _, ...states } = await database.read(() => readCounters(database));
  return states;
}

/** How many jobs run or wait, without those that are held. */
export async function countOpen(database: Database): Promise<number> {
  return await database.read(() => {
    const { pending, processing, failed } = readCounters(database);
    const { held } = database.prepare("SELECT count(*) AS held FROM jobs WHERE held = 1").get()!;
    return pending + processing + failed - Number(held);
  });
}

/** What keeps jobs from being claimed: by the indexes of what is seldom, without a look at all that wait. */
export async function keptBack(database: Database): Promise<KeptBack> {
  return await database.read(() => countKeptBack(database));
}

/** The same inside a transaction. */
export function countKeptBack(database: Database): KeptBack {
  const now = database.now();
  const count = (index: string, condition: string) => {
    const sql = `SELECT count(*) AS jobs FROM jobs INDEXED BY ${index} WHERE ${condition}`;
    return Number(database.prepare(sql).get({ ...condition.includes(":now") && { now } })!.jobs);
  };
  const timed = "next_attempt_at > :now";
  const held = count("jobs_held", "held = 1");
  const waiting = count("jobs_blocked", blocked) - count("jobs_held", "held = 1 AND blocked > 0");
  const scheduled = count("jobs_waiting", timed) - count("jobs_held", `held = 1 AND ${timed}`) -
    count("jobs_blocked", `${blocked} AND held = 0 AND ${timed}`);
  const names = database.prepare("SELECT name FROM queues WHERE paused = 1").all().map((row) =>
    text(row, "name")
  );
  if (names.length === 0) return { held, blocked: waiting, scheduled, paused: 0 };
  const queues = names.includes(allQueues) ? null : JSON.stringify(names);
  const { jobs } = database.prepare(`
      SELECT count(*) AS jobs FROM jobs
      WHERE ${claimable} AND (?1 IS NULL OR queue IN (SELECT value FROM json_each(?1)))`).get(queues)!;
  return { held, blocked: waiting, scheduled, paused: Number(jobs) };
}

/** The names of all queues. */
export async function queueNames(database: Database): Promise<string[]> {
  return await database.read(() =>
    database.prepare("SELECT name FROM queues WHERE name <> '' ORDER BY name").all()
      .map((row) => text(row, "name"))
  );
}

/** The first tags that jobs have. */
export async function tagNames(database: Database, limit: number): Promise<string[]> {
  return await database.read(() =>
    // From each to the next one: a tag may be that of a million jobs.
    database.prepare(`
      WITH RECURSIVE names (tag) AS (
        SELECT min(tag) FROM tags
        UNION ALL SELECT (SELECT min(tag) FROM tags WHERE tag > names.tag) FROM names WHERE names.tag IS NOT NULL
      )
      SELECT tag FROM names WHERE tag IS NOT NULL LIMIT ? + 0`).all(limit).map((row) => text(row, "tag"))
  );
}

/** How many jobs ever became dead. */
export async function deaths(database: Database): Promise<number> {
  return (await database.read(() => readCounters(database))).died;
}

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
    const job = requireJob(database, id, noJob);
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
    const job = requireJob(database, id, noJob);
    if (job.state !== "processing") return { id: job.id, running: null };
    const row = database.prepare("SELECT run FROM jobs WHERE seq = ?").get(job.seq)!;
    return { id: job.id, running: { seq: job.seq, run: number(row, "run") } };
  });
}

/** A job by its whole id, or by a prefix that no other id has. Throws `usage` when several have it. */
function findJob(database: Database, id: string): FoundJob | undefined {
  const whole = database.prepare("SELECT seq, id, state, queue FROM jobs WHERE id = ?").get(id);
  if (whole) return foundJob(whole);
  // The first id after all those with this prefix is the bound: no LIKE, so no escaping and always the index.
  const found = id === "" ? [] : database.prepare(`
    SELECT seq, id, state, queue FROM jobs WHERE id > ?1 AND id < ?1 || char(1114111) ORDER BY id LIMIT 3`)
    .all(id);
  if (found.length < 2) return found[0] && foundJob(found[0]);
  throw severalJobs(id, found.map((row) => text(row, "id")));
}

/** The same, where there has to be one. Throws `missing`, with an id that was perhaps meant. */
export function requireJob(database: Database, id: string, missing: Scope["missing"]): FoundJob {
  const job = findJob(database, id);
  if (!job) throw missing(id, nearbyId(database, id));
  return job;
}

/** An id that was perhaps meant: among those beside it in their order, and the newest. */
function nearbyId(database: Database, id: string): string | undefined {
  const beside = database.prepare(`
    SELECT id FROM (SELECT id FROM jobs WHERE id < ?1 ORDER BY id DESC LIMIT 5)
    UNION ALL SELECT id FROM (SELECT id FROM jobs WHERE id > ?1 ORDER BY id LIMIT 5)
    UNION ALL SELECT id FROM (SELECT id FROM jobs ORDER BY seq DESC LIMIT 200)`).all(id);
  return nearestId(id, beside.map((row) => text(row, "id")));
}

/** The highest key that a job ever had; read inside a transaction. */
export const lastSeq = (database: Database): number => {
  const row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").get();
  return row === undefined ? 0 : number(row, "seq");
};
