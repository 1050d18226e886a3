/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import type { Scope } from "../refusals.ts";
import type { JobChanges } from "../../job/job.ts";
import { isNamed, type Selection } from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./database.ts";
import { backInQueue, reopen, withoutFailedParents } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { notification } from "./notifications.ts";
import { choose, createParameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { setTags } from "./tags.ts";
import { keepingKeysUnique } from "./unique.ts";

/** The states of `scope` → pending with attempts 0 and no error; the runs they had are kept. */
export async function retry(
  database: Database,
  selection: Selection,
  changes: JobChanges | undefined,
  scope: Scope,
): Promise<string[]> {
  let tried: number[] = [];
  return await keepingKeysUnique(
    database,
    () => tried,
    () =>
      putBack(
        database,
        selection,
        changes,
        scope,
        (jobs, isFirst) => tried = [...isFirst ? [] : tried, ...jobs],
      ),
  );
}

async function putBack(
  database: Database,
  selection: Selection,
  changes: JobChanges | undefined,
  scope: Scope,
  tell: (jobs: readonly number[], isFirst: boolean) => unknown,
): Promise<string[]> {
  return await database.transaction(async (run) => {
    const chosen = (await choose(database, run, selection, scope)).sort((a, b) => a.seq - b.seq);
    const jobs = await withoutFailedParents(run, chosen, isNamed(selection));
    if (jobs.length === 0) return [];
    tell(jobs.map(({ seq }) => seq), true);
    const parameters = createParameters();
    const keys = parameters.add(asArray(jobs.map(({ seq }) => seq)));
    const now = timeSql(parameters.add(database.now()));
    await run(
      `UPDATE queuectl.jobs SET ${backInQueue} attempts = 0, last_error = NULL, ${
        assignments(changes ?? {}, parameters)
      } updated_at = ${now}
       WHERE seq = ANY(${keys}::bigint[])`,
      parameters.values,
    );
    await reopen(database, run, jobs.map(({ seq }) => seq), (back) => tell(back, false));
    await setTags(run, jobs, changes?.tags);
    const { text, parameters: payload } = notification(database);
    await run(text, payload);
    return jobs.map(({ id }) => id);
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
}
