/** Putting jobs into the queue. */

import { failpoint } from "../../base/failpoint.ts";
import { defaultQueueName, type DuplicatePolicy, type NewJob } from "../../job/job.ts";
import { extraColumns, type Extras, extrasOf, noExtras } from "../optional_fields.ts";
import { readable } from "../damage.ts";
import { type QueueDefaults, queueDefaultsFromRow, queueDefaultsSql } from "../queues.ts";
import { idsExist } from "../errors.ts";
import { number, settingFromRow, text } from "../rows.ts";
import { findParents, linkParents, type ParentRow } from "./parents.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./connection/database.ts";
import { codeOf, uniqueViolation } from "./connection/error_remedies.ts";
import { notification } from "./connection/notifications.ts";
import type { Enqueued } from "../store.ts";
import { asJson } from "./values.ts";
import { againForKeys, intakeTable, makeRoom } from "./unique.ts";

/** The most characters that go out in one statement, about. */
const packetLength = 2 ** 20;

const columns =
  `id, command, attempts, max_retries, priority, timeout, base_backoff, cwd, env, ${extraColumns}`;

const typedColumns = `number bigint, id text COLLATE "C", command text, attempts integer, max_retries integer,
  priority integer, timeout bigint, base_backoff double precision, cwd text, env text, delay bigint, at bigint,
  queue text, held boolean, tags text, unique_key text COLLATE "C", retry_rules text, on_duplicate text, replaced text`;

/** The time before which a job does not run; past or present where it can run at once. */
const due = "coalesce(at, now + coalesce(delay, 0))";

/**
 * Stores the jobs of a source that have ids which nobody has; with `skip` the others are left out. Those that another one
 * of them replaces are cancelled.
 */
const jobsOf = (source: string, now: string, request: string, skip = "") => `
  WITH stored AS (
    INSERT INTO queuectl.jobs
      (state, available, next_attempt_at, last_error, created_at, updated_at, request, ${columns})
    SELECT CASE WHEN replaced IS NULL THEN 'pending' ELSE 'cancelled' END,
      replaced IS NULL AND ${due} <= now AND NOT held, CASE WHEN replaced IS NULL AND ${due} > now THEN ${due} END,
      replaced, now, now, ${request}::uuid, ${columns}
    FROM ${source}, (SELECT ${now} AS now) AS clock ORDER BY number ${skip}
    RETURNING seq, queue, tags
  ),
  tagged AS (
    INSERT INTO queuectl.tags (tag, job)
    SELECT DISTINCT value, seq FROM stored, json_array_elements_text(tags::json) WHERE tags IS NOT NULL
  )
  -- In one order, so that two of these wait for each other and never both at once.
  INSERT INTO queuectl.queues (name)
  SELECT DISTINCT queue COLLATE "C" AS name FROM stored WHERE queue <> '${defaultQueueName}' ORDER BY name
  ON CONFLICT DO NOTHING`;

/** A new job as the statements take it, with its place among the others. */
export interface NewRow extends Extras {
  number: number;
  id: string;
  command: string;
  attempts: number;
  max_retries: number;
  priority: number;
  timeout: number | null;
  base_backoff: number | null;
  cwd: string | null;
  /** JSON. */
  env: string | null;
  delay: number | null;
  at: number | null;
  on_duplicate: DuplicatePolicy | null;
}

export function newRow(job: NewJob, place: number): NewRow {
  return {
    number: place,
    id: job.id,
    command: job.command,
    attempts: job.attempts,
    max_retries: job.maxRetries,
    priority: job.priority,
    timeout: job.timeout,
    base_backoff: job.baseBackoff,
    cwd: job.cwd,
    env: job.env && Object.keys(job.env).length > 0 ? JSON.stringify(job.env) : null,
    delay: job.delay ?? null,
    at: job.at ?? null,
    on_duplicate: job.onDuplicate ?? null,
    ...extrasOf(job) ?? noExtras,
  };
}

/** (new) → pending, all or none, in one statement where no job has a unique key; none of them waits for another. */
export async function enqueue(database: Database, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  const ids = new Set<string>();
  const twice = jobs.map(({ id }) => id).filter((id) => ids.size === ids.add(id).size);
  if (twice.length === 0 && jobs.some(({ uniqueKey }) => uniqueKey !== undefined)) {
    const kept = await enqueueMany(database, () => jobs.map((job, index) => newRow(job, index)), true);
    return jobs.map(({ id }, index) => ({ id: kept.get(index) ?? id, existing: kept.has(index) }));
  }
  // By this name jobs are known that an earlier try has stored, whose confirmation got lost.
  const request = crypto.randomUUID();
  try {
    if (twice.length > 0) throw await conflict(database, jobs, request, twice);
    await database.batch([
      {
        text: jobsOf(`json_to_recordset($1::text::json) AS job (${typedColumns})`, timeSql("$2"), "$3"),
        parameters: [asJson(jobs.map(newRow)), database.now(), request],
      },
      notification(database),
    ]);
  } catch (error) {
    if (codeOf((error as Error).cause) !== uniqueViolation) throw error;
    const existing = await conflict(database, jobs, request, []);
    if (existing) throw existing;
  }
  failpoint("enqueue");
  return jobs.map(({ id }) => ({ id, existing: false }));
}

/** The error that names the ids that others have, or that are there `twice`; undefined where all jobs are our own. */
async function conflict(
  database: Database,
  jobs: readonly NewJob[],
  request: string,
  twice: readonly string[],
) {
  const [rows] = await database.batch([{
    text: `SELECT id FROM queuectl.jobs WHERE request IS DISTINCT FROM $1
      AND id IN (SELECT value COLLATE "C" FROM json_array_elements_text($2::text::json) AS each (value))`,
    parameters: [request, asJson(jobs.map(({ id }) => id))],
  }], { readOnly: true });
  const taken = new Set([...twice, ...rows.map((row) => text(row, "id"))]);
  const existing = [...new Set(jobs.map(({ id }) => id))].filter((id) => taken.has(id));
  return existing.length > 0 ? idsExist(existing) : undefined;
}

/**
 * (new) → pending for any number of jobs, in their order, all or none; with `hasKeys` some have unique keys. Returns by
 * the numbers of jobs that were not stored the ids of those that are kept in their places. They are sent to a temporary
 * table first: the row of the counters is locked only while they are moved over.
 */
export async function enqueueMany(
  database: Database,
  jobs: () => Iterable<NewRow>,
  hasKeys: boolean,
  parents?: () => Iterable<ParentRow>,
): Promise<Map<number, string>> {
  const request = crypto.randomUUID();
  // Somebody else may store a job with such a key at the same time: then that one is found the next time.
  return await againForKeys(() => moveOver(database, jobs, hasKeys, parents, request));
}

async function moveOver(
  database: Database,
  jobs: () => Iterable<NewRow>,
  hasKeys: boolean,
  parents: (() => Iterable<ParentRow>) | undefined,
  request: string,
): Promise<Map<number, string>> {
  return await database.transaction(async (run) => {
    await run(`CREATE TEMPORARY TABLE queuectl_intake (${typedColumns}) ON COMMIT DROP`);
    await send(run, jobs());
    if (parents) await findParents(database, run, parents());
    // Asked before those that are kept out are taken out of it.
    const keyed = hasKeys && parents
      ? await run(`SELECT number, id FROM ${intakeTable} WHERE unique_key IS NOT NULL`)
      : [];
    const kept = hasKeys ? await makeRoom(database, run, request) : new Map<number, string>();
    await run(
      jobsOf(intakeTable, timeSql("$1"), "$2", "ON CONFLICT (id) DO NOTHING"),
      [database.now(), request],
    );
    const existing = await run(
      `SELECT id FROM ${intakeTable} AS job JOIN queuectl.jobs AS present USING (id)
       WHERE present.request IS DISTINCT FROM $1 ORDER BY job.number LIMIT 6`,
      [request],
    );
    if (existing.length > 0) throw idsExist(existing.map((row) => text(row, "id")));
    if (parents) {
      const ids = keyed.flatMap((row) => {
        const existing = kept.get(number(row, "number"));
        return existing === undefined ? [] : [[text(row, "id"), existing] as const];
      });
      await linkParents(database, run, new Map(ids));
    }
    failpoint("enqueue");
    const { text: notify, parameters } = notification(database);
    await run(notify, parameters);
    return kept;
  }, { pace: "slow" });
}

/** Sends the jobs to the temporary table, in packets. */
async function send(run: Run, jobs: Iterable<NewRow>): Promise<void> {
  let packet: string[] = [];
  let length = 0;
  const flush = async () => {
    await run(
      `INSERT INTO pg_temp.queuectl_intake
       SELECT * FROM json_to_recordset($1::text::json) AS job (${typedColumns})`,
      [`[${packet.join(",")}]`],
    );
    packet = [];
    length = 0;
  };
  for (const job of jobs) {
    const text = JSON.stringify(job);
    packet.push(text);
    length += text.length;
    if (length > packetLength) await flush();
  }
  if (packet.length > 0) await flush();
}

/** What new jobs are completed by: the settings and, by their names, what queues have for them. */
export async function enqueueDefaults(
  database: Database,
): Promise<{ settings: Array<[string, string]>; queues: Map<string, QueueDefaults> }> {
  const [settings, queues] = await database.batch(
    [{ text: "SELECT key, value FROM queuectl.config" }, { text: queueDefaultsSql("queuectl.queues") }],
    { readOnly: true },
  );
  return {
    settings: readable(settings, settingFromRow, database.tellDamage),
    queues: new Map(queues.map((row) => [text(row, "name"), queueDefaultsFromRow(row)])),
  };
}
