/** Unique keys: of the jobs that have not ended, no two have the same. The index sees to it; here is what is done about new jobs. */

import type { StatementSync } from "node:sqlite";
import type { DuplicatePolicy } from "../../job/job.ts";
import { activeStates, type FoundJob, keyTaken, keyTwice, replacedBy } from "../errors.ts";
import { foundJob } from "../rows.ts";
import { cancelWaiting } from "../operations/cancel.ts";
import { sqlOn, take } from "./engine.ts";
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
      take(database, cancelWaiting(sqlOn(database, tally), [{ ...holder, error: replacedBy(id) }]));
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
