/** Unique keys: of the jobs that have not ended, no two have the same. The index sees to it; here is what is done about it. */

import type { DuplicatePolicy } from "../../job/job.ts";
import { activeStates, type FoundJob, keyTaken, keyTwice, replacedBy } from "../errors.ts";
import { foundJob, number, text, textOrNull } from "../rows.ts";
import { cancelWaiting } from "../operations/cancel.ts";
import { sqlOn, take } from "./engine.ts";
import type { Database, Run } from "./connection/database.ts";
import { isKeyViolation } from "./connection/error_remedies.ts";
import { asArray, asJson } from "./values.ts";

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
  const replaced: Array<FoundJob & { error: string }> = [];
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
      if (holder.added === undefined) replaced.push({ ...holder, error: replacedBy(job.id) });
      else outdated.set(holder.added, job.id);
    }
    holders.set(job.key, { seq: 0, queue: "", id: job.id, state: "pending", added: job.number });
  }
  await take(run, cancelWaiting(sqlOn(database), replaced));
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
