/** Unique keys: of the jobs that have not ended, no two have the same. The index sees to it; here is what is done about it. */

import type { DuplicatePolicy, JobState } from "../../job/job.ts";
import { type KeyedJob, type Keys, withoutKeys } from "../side_effects.ts";
import { activeStates, type FoundJob, keyHeld, keyTaken, keyTwice, replacedBy } from "../refusals.ts";
import { number, type Row, text, textOrNull } from "../rows.ts";
import { cancelWaiting } from "./cancel.ts";
import type { Database, Run } from "./connection/database.ts";
import { isKeyViolation } from "./connection/errors.ts";
import { asArray, asJson } from "./storable.ts";

/** Where new jobs are before they are stored. */
export const intakeTable = "pg_temp.queuectl_intake";

/** How often a change is tried whose keys others take at the same moment. */
const tries = 100;

/** Runs a transaction again where somebody else has taken a unique key that was free. */
export async function againForKeys<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tried = 1;; tried++) {
    try {
      return await transaction();
    } catch (error) {
      if (!isKeyViolation(error) || tried === tries) throw error;
    }
  }
}

/** Who has a key: a job in the queue, or a new one by its number. */
type Holder = FoundJob & { added?: number };

/** A new job whose key another one has, or had. */
interface NewKey {
  number: number;
  id: string;
  key: string;
  policy: DuplicatePolicy | null;
}

/**
 * Makes room for the new jobs of the temporary table, as if they came one after the other: takes those out of it in whose
 * place another job is kept, and gives their numbers with its id; notes in it which others are replaced by new ones. Throws
 * `conflict`.
 */
export async function makeRoom(
  database: Database,
  run: Run,
  request: string,
): Promise<Map<number, string>> {
  const holders = await holdersOf(run, request);
  const kept = new Map<number, string>();
  /** The new jobs that others replace, and those that they replace in the queue, with the ids of these others. */
  const outdated = new Map<number, string>();
  const replaced = new Map<number, string>();
  for (const job of await contestedJobs(run, [...holders.keys()])) {
    const holder = holders.get(job.key);
    if (holder !== undefined && job.policy === "keep") {
      kept.set(job.number, holder.id);
      continue;
    }
    if (holder !== undefined) {
      if (job.policy !== "replace" || holder.state === "processing") {
        throw holder.added === undefined ? keyTaken(job.key, holder) : keyTwice(job.key, holder.id, job.id);
      }
      if (holder.added === undefined) replaced.set(holder.seq, job.id);
      else outdated.set(holder.added, job.id);
    }
    holders.set(job.key, { seq: 0, queue: "", id: job.id, state: "pending", added: job.number });
  }
  await cancelWaiting(database, run, [...replaced].map(([seq, id]) => ({ seq, error: replacedBy(id) })));
  if (outdated.size > 0) {
    const errors = asJson([...outdated].map(([number, id]) => ({ number, error: replacedBy(id) })));
    await run(
      `UPDATE ${intakeTable} AS job SET replaced = each.error, held = false
       FROM json_to_recordset($1::text::json) AS each (number bigint, error text) WHERE job.number = each.number`,
      [errors],
    );
  }
  if (kept.size > 0) {
    await run(`DELETE FROM ${intakeTable} WHERE number = ANY($1::bigint[])`, [asArray([...kept.keys()])]);
  }
  return kept;
}

/** The jobs in the queue that have a key of a new one, locked; without those that an earlier try has stored. */
async function holdersOf(run: Run, request: string): Promise<Map<string, Holder>> {
  // In the order of an expression: for that of the keys alone the server would read past all jobs rather than sort.
  const rows = await run(
    `SELECT holder.seq, holder.id, holder.state, holder.queue, holder.unique_key FROM queuectl.jobs AS holder
     WHERE unique_key = ANY (ARRAY(SELECT DISTINCT unique_key FROM ${intakeTable} WHERE unique_key IS NOT NULL))
       AND unique_key IS NOT NULL AND state IN (${activeStates}) AND request IS DISTINCT FROM $1
     ORDER BY seq + 0 FOR UPDATE`,
    [request],
  );
  return new Map(rows.map((row) => [text(row, "unique_key"), foundJob(row)]));
}

const foundJob = (row: Row): FoundJob => ({
  seq: number(row, "seq"),
  id: text(row, "id"),
  state: text(row, "state") as JobState,
  queue: text(row, "queue"),
});

/** The new jobs that share their key with one in the queue, which are these, or with each other; in their order. */
async function contestedJobs(run: Run, keys: readonly string[]): Promise<NewKey[]> {
  const rows = await run(
    `SELECT number, id, unique_key, on_duplicate FROM (
       SELECT number, id, unique_key, on_duplicate, count(*) OVER (PARTITION BY unique_key) AS jobs
       FROM ${intakeTable} WHERE unique_key IS NOT NULL
     ) AS job
     WHERE jobs > 1 OR unique_key = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))
     ORDER BY number`,
    [asJson(keys)],
  );
  return rows.map((row) => ({
    number: number(row, "number"),
    id: text(row, "id"),
    key: text(row, "unique_key"),
    policy: textOrNull(row, "on_duplicate") as DuplicatePolicy | null,
  }));
}

/** Those of these jobs that cannot go back into the queue, with the jobs that have their keys; of several the newest can. */
export const jobsWithoutKeys = async (run: Run, seqs: readonly number[]): Promise<Map<number, KeyedJob>> =>
  withoutKeys(await keysOf(run, seqs));

/** The unique keys of these jobs, and who has them. */
export async function keysOf(run: Run, seqs: readonly number[]): Promise<Keys> {
  const columns = "seq, id, unique_key AS key";
  const keyed = await run(
    `SELECT ${columns} FROM queuectl.jobs WHERE seq = ANY ($1::bigint[]) AND unique_key IS NOT NULL`,
    [asArray(seqs)],
  );
  if (keyed.length === 0) return { jobs: [], holders: [] };
  const holding = await run(
    `SELECT ${columns} FROM queuectl.jobs
     WHERE unique_key = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))
       AND unique_key IS NOT NULL AND state IN (${activeStates})`,
    [asJson(keyed.map((row) => text(row, "key")))],
  );
  const [jobs, holders] = [keyed, holding].map((rows) =>
    rows.map((row): KeyedJob => ({ seq: number(row, "seq"), id: text(row, "id"), key: text(row, "key") }))
  );
  return { jobs, holders };
}

/**
 * Runs a transaction that puts jobs which have ended back into the queue. Where that makes two of one unique key, throws
 * `conflict` with the words for it; costs nothing else. `tried` has the keys of the jobs by then.
 */
export async function keepingKeysUnique<T>(
  database: Database,
  tried: () => readonly number[],
  transaction: () => Promise<T>,
): Promise<T> {
  return await againForKeys(async () => {
    try {
      return await transaction();
    } catch (error) {
      if (!isKeyViolation(error)) throw error;
      // Undefined where the other one has ended meanwhile: then it is tried again.
      throw await conflictOf(database, tried()) ?? error;
    }
  });
}

async function conflictOf(database: Database, seqs: readonly number[]) {
  const keys = asArray(seqs);
  const [jobs, others] = await database.batch([
    {
      text: `SELECT seq, id, unique_key FROM queuectl.jobs
        WHERE seq = ANY($1::bigint[]) AND unique_key IS NOT NULL ORDER BY seq`,
      parameters: [keys],
    },
    {
      text: `SELECT seq, id, state, queue, unique_key FROM queuectl.jobs
        WHERE unique_key = ANY (
          ARRAY(SELECT unique_key FROM queuectl.jobs WHERE seq = ANY($1::bigint[]) AND unique_key IS NOT NULL)
        ) AND unique_key IS NOT NULL AND state IN (${activeStates})`,
      parameters: [keys],
    },
  ], { readOnly: true, pace: "slow" });
  const holders = new Map(others.map((row) => [text(row, "unique_key"), foundJob(row)]));
  const ids = new Map<string, string>();
  for (const row of jobs) {
    const [key, id] = [text(row, "unique_key"), text(row, "id")];
    const first = ids.get(key);
    if (first !== undefined) return keyHeld(key, first, id);
    ids.set(key, id);
    const holder = holders.get(key);
    if (holder !== undefined && holder.seq !== row.seq) return keyHeld(key, id, holder);
  }
}
