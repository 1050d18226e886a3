/** Unique keys of jobs that go back into the queue: of the jobs that have not ended no two have the same. */

import type { QueuectlError } from "../../base/errors.ts";
import { activeStates, keyHeld } from "../errors.ts";
import { foundJob, number, text } from "../rows.ts";
import { type KeyedJob, type Keys, withoutKeys } from "../side_effects.ts";
import { raw, type Sql, type Steps } from "../sql.ts";

const hasNotEnded = raw(`state IN (${activeStates})`);

/** The unique keys of these jobs, and who has them. */
export function* uniqueKeysOf(sql: Sql, seqs: readonly number[]): Steps<Keys> {
  if (seqs.length === 0) return { jobs: [], holders: [] };
  const keyed = yield* sql`
    SELECT seq, id, unique_key FROM queuectl.jobs WHERE seq ${sql.among(seqs)} AND unique_key IS NOT NULL`;
  if (keyed.length === 0) return { jobs: [], holders: [] };
  const holding = yield* sql`
    SELECT seq, id, unique_key FROM queuectl.jobs
    WHERE unique_key ${sql.among(keyed.map((row) => text(row, "unique_key")))} AND unique_key IS NOT NULL
      AND ${hasNotEnded}`;
  const [jobs, holders] = [keyed, holding].map((rows) =>
    rows.map((row): KeyedJob => ({
      seq: number(row, "seq"),
      id: text(row, "id"),
      key: text(row, "unique_key"),
    }))
  );
  return { jobs, holders };
}

/** Those of these jobs that cannot go back into the queue, with the jobs that have their keys; of several the newest can. */
export function* jobsWithoutKeys(sql: Sql, seqs: readonly number[]): Steps<Map<number, KeyedJob>> {
  return withoutKeys(yield* uniqueKeysOf(sql, seqs));
}

/** Why these jobs cannot all go back into the queue; undefined where they can by now. */
export function* keyConflict(sql: Sql, seqs: readonly number[]): Steps<QueuectlError | undefined> {
  const jobs = yield* sql`
    SELECT seq, id, unique_key FROM queuectl.jobs
    WHERE seq ${sql.among(seqs)} AND unique_key IS NOT NULL ORDER BY seq`;
  const keys = jobs.map((row) => text(row, "unique_key"));
  if (keys.length === 0) return undefined;
  const others = yield* sql`
    SELECT seq, id, state, queue, unique_key FROM queuectl.jobs
    WHERE unique_key ${sql.among(keys)} AND unique_key IS NOT NULL AND ${hasNotEnded}`;
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
