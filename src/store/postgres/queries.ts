/** Questions about jobs. */

import type { Attempt, JobState } from "../../job/job.ts";
import { jobStates } from "../../job/job.ts";
import { nearestId } from "../../base/nearest.ts";
import type { KeptBack } from "../queues.ts";
import { type FoundJob, noJob, type Scope, severalJobs } from "../refusals.ts";
import { attemptColumns, attemptFromRow, number, text } from "../rows.ts";
import type { FoundRun } from "../store.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./connection/database.ts";

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

/** How many jobs run or wait, without those that are held. */
export async function countOpen(database: Database): Promise<number> {
  const [[row]] = await database.batch([{
    text:
      `SELECT sum(pending + processing + failed)::bigint - (SELECT count(*) FROM queuectl.jobs WHERE held) AS open
      FROM queuectl.counters`,
  }], { readOnly: true });
  return Number(row.open);
}

/** What keeps jobs from being claimed: by the indexes of what is seldom, without a look at all that wait. */
export async function keptBack(database: Database): Promise<KeptBack> {
  const blocked = "blocked > 0 AND state IN ('pending', 'failed')";
  const timed = `next_attempt_at > (SELECT ${timeSql("$1")})`;
  const [[row]] = await database.batch([{
    text: `SELECT
      (SELECT count(*) FROM queuectl.jobs WHERE held) AS held,
      (SELECT count(*) FROM queuectl.jobs WHERE ${blocked}) AS blocked,
      (SELECT count(*) FROM queuectl.jobs WHERE held AND blocked > 0) AS held_blocked,
      (SELECT count(*) FROM queuectl.jobs WHERE ${timed}) AS scheduled,
      (SELECT count(*) FROM queuectl.jobs WHERE ${timed} AND held) AS held_scheduled,
      (SELECT count(*) FROM queuectl.jobs WHERE ${timed} AND NOT held AND ${blocked}) AS blocked_scheduled,
      CASE WHEN EXISTS (SELECT FROM queuectl.queues WHERE paused) THEN (
        SELECT count(*) FROM queuectl.jobs WHERE available AND (
          EXISTS (SELECT FROM queuectl.queues WHERE paused AND name = '')
          OR queue IN (SELECT name FROM queuectl.queues WHERE paused)
        )
      ) ELSE 0 END AS paused`,
    parameters: [database.now()],
  }], readOnly);
  const count = (name: string) => number(row, name);
  return {
    held: count("held"),
    blocked: count("blocked") - count("held_blocked"),
    scheduled: count("scheduled") - count("held_scheduled") - count("blocked_scheduled"),
    paused: count("paused"),
  };
}

/** The names of all queues. */
export async function queueNames(database: Database): Promise<string[]> {
  const [rows] = await database.batch([
    { text: "SELECT name FROM queuectl.queues WHERE name <> '' ORDER BY name" },
  ], readOnly);
  return rows.map((row) => text(row, "name"));
}

/** The first tags that jobs have. */
export async function tagNames(database: Database, limit: number): Promise<string[]> {
  const [rows] = await database.batch([{
    // From each to the next one: a tag may be that of a million jobs.
    text: `WITH RECURSIVE names (tag) AS (
        SELECT min(tag) FROM queuectl.tags
        UNION ALL
        SELECT (SELECT min(tag) FROM queuectl.tags WHERE tag > names.tag) FROM names WHERE names.tag IS NOT NULL
      )
      SELECT tag FROM names WHERE tag IS NOT NULL LIMIT $1`,
    parameters: [limit],
  }], readOnly);
  return rows.map((row) => text(row, "tag"));
}

/** How many jobs ever became dead. */
export async function deaths(database: Database): Promise<number> {
  return (await counters(database, ["died"])).died;
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
    const job = await requireJob(run, id, noJob);
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
    const job = await requireJob(run, id, noJob);
    if (job.state !== "processing") return { id: job.id, running: null };
    const [row] = await run("SELECT run FROM queuectl.jobs WHERE seq = $1", [job.seq]);
    return { id: job.id, running: { seq: job.seq, run: number(row, "run") } };
  }, readOnly);
}

/**
 * A job by its whole id, or by a prefix that no other id has. With `lock` nobody else changes it in this transaction.
 * Throws `usage` when several have the prefix.
 */
async function findJob(
  run: Run,
  id: string,
  lock: "" | "FOR UPDATE" = "",
): Promise<FoundJob | undefined> {
  // No id has a NUL, and PostgreSQL takes none.
  if (id === "" || id.includes("\0")) return undefined;
  const columns = "SELECT seq, id, state, queue FROM queuectl.jobs";
  const [whole] = await run(`${columns} WHERE id = $1 ${lock}`, [id]);
  if (whole) return whole as never;
  // The first id after all those with this prefix is the bound: no LIKE, so no escaping and always the index.
  const found = await run(
    `${columns} WHERE id > $1 AND id < $1 || chr(1114111) ORDER BY id LIMIT 3 ${lock}`,
    [id],
  );
  if (found.length < 2) return found[0] as never;
  throw severalJobs(id, found.map((row) => text(row, "id")));
}

/** The same, where there has to be one. Throws `missing`, with an id that was perhaps meant. */
export async function requireJob(
  run: Run,
  id: string,
  missing: Scope["missing"],
  lock: "" | "FOR UPDATE" = "",
): Promise<FoundJob> {
  const job = await findJob(run, id, lock);
  if (!job) throw missing(id, id.includes("\0") ? undefined : await nearbyId(run, id));
  return job;
}

/** An id that was perhaps meant: among those beside it in their order, and the newest. */
async function nearbyId(run: Run, id: string): Promise<string | undefined> {
  const beside = await run(
    `(SELECT id FROM queuectl.jobs WHERE id < $1 ORDER BY id DESC LIMIT 5)
     UNION ALL (SELECT id FROM queuectl.jobs WHERE id > $1 ORDER BY id LIMIT 5)
     UNION ALL (SELECT id FROM queuectl.jobs ORDER BY seq DESC LIMIT 200)`,
    [id],
  );
  return nearestId(id, beside.map((row) => text(row, "id")));
}
