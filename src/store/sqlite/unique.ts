/** Unique keys: of the jobs that have not ended, no two have the same. The index sees to it; here is what is done about it. */

import type { StatementSync } from "node:sqlite";
import type { DuplicatePolicy } from "../../job/job.ts";
import { type KeyedJob, type Keys, withoutKeys } from "../side_effects.ts";
import { activeStates, type FoundJob, keyHeld, keyTaken, keyTwice, replacedBy } from "../refusals.ts";
import { foundJob } from "../rows.ts";
import { cancelWaiting } from "./cancel.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";

/** Makes room for new jobs of one transaction, one after the other. */
export interface KeyRoom {
  /** Gives the id of the job that has the key and is kept; undefined where the new one can be stored. Throws `conflict`. */
  make(id: string, key: string, policy?: DuplicatePolicy | null): string | undefined;
  /** The jobs of an intake that share their key with one in the queue or with each other, in their order. */
  contested(): StatementSync;
}

/** The ids that are there twice. */
export function repeatedIds(jobs: readonly { id: string }[]): string[] {
  const ids = new Set<string>();
  return jobs.map(({ id }) => id).filter((id) => ids.size === ids.add(id).size);
}

/** To be called in the transaction, before the first job is stored. */
export function openKeyRoom(database: Database, tally: Tally): KeyRoom {
  const { last } = database.prepare("SELECT coalesce(max(seq), 0) AS last FROM main.jobs").get()!;
  return {
    make(id, key, policy) {
      const holder = holderOf(database, key);
      if (holder === undefined) return undefined;
      if (policy === "keep") return holder.id;
      if (policy !== "replace" || holder.state === "processing") {
        throw holder.seq > Number(last) ? keyTwice(key, holder.id, id) : keyTaken(key, holder);
      }
      cancelWaiting(database, [holder], tally, replacedBy(id));
    },
    contested: () =>
      database.connection.prepare(`
        SELECT number, id, unique_key, on_duplicate FROM temp.intake AS job
        WHERE unique_key IS NOT NULL AND (
          unique_key IN (
            SELECT unique_key FROM temp.intake WHERE unique_key IS NOT NULL GROUP BY unique_key HAVING count(*) > 1
          )
          OR EXISTS (SELECT 1 FROM main.jobs WHERE unique_key = job.unique_key AND state IN (${activeStates}))
        ) ORDER BY number`),
  };
}

/** The job that has not ended with this key. */
function holderOf(database: Database, key: string): FoundJob | undefined {
  const row = database.prepare(`
    SELECT seq, id, state, queue FROM main.jobs WHERE unique_key = ? AND state IN (${activeStates})`).get(
    key,
  );
  return row && foundJob(row);
}

/** Those of these jobs that cannot go back into the queue, with the jobs that have their keys; of several the newest can. */
export const jobsWithoutKeys = (database: Database, seqs: readonly number[]): Map<number, KeyedJob> =>
  withoutKeys(keysOf(database, seqs));

/** The unique keys of these jobs, and who has them. */
export function keysOf(database: Database, seqs: readonly number[]): Keys {
  const columns = "seq, id, unique_key AS key";
  const jobs = database.prepare(`
    SELECT ${columns} FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND unique_key IS NOT NULL`)
    .all(JSON.stringify(seqs)) as unknown as KeyedJob[];
  if (jobs.length === 0) return { jobs, holders: [] };
  const holders = database.prepare(`
    SELECT ${columns} FROM jobs WHERE unique_key IN (SELECT value FROM json_each(?)) AND state IN (${activeStates})`)
    .all(JSON.stringify(jobs.map(({ key }) => key))) as unknown as KeyedJob[];
  return { jobs, holders };
}

/**
 * Runs a change that puts jobs which have ended back into the queue. Where that makes two of one unique key, throws
 * `conflict` with the words for it; costs nothing else. `seqs` has the keys of the jobs by then. To be called in the
 * transaction.
 */
export function keepingKeysUnique<T>(
  database: Database,
  seqs: readonly number[],
  change: () => T,
): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("jobs.unique_key"))) throw error;
    throw conflictOf(database, seqs) ?? error;
  }
}

function conflictOf(database: Database, seqs: readonly number[]) {
  const keyed = database.prepare(`
    SELECT seq, id, unique_key FROM jobs WHERE seq IN (SELECT value FROM json_each(?)) AND unique_key IS NOT NULL
    ORDER BY seq`).all(JSON.stringify(seqs)) as unknown as Array<
    { seq: number; id: string; unique_key: string }
  >;
  const ids = new Map<string, string>();
  for (const { seq, id, unique_key: key } of keyed) {
    const first = ids.get(key);
    if (first !== undefined) return keyHeld(key, first, id);
    ids.set(key, id);
    const holder = holderOf(database, key);
    if (holder !== undefined && holder.seq !== seq) return keyHeld(key, id, holder);
  }
}
