/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import { type Aftermath, noAftermath, type TellAftermath } from "../side_effects.ts";
import type { Scope } from "../refusals.ts";
import type { JobChanges } from "../../job/job.ts";
import { isNamed, type Selection } from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./connection/database.ts";
import { backInQueue, reopen, withoutFailedParents } from "./retried_dependants.ts";
import { forgiveBroken } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { setTags } from "./tags.ts";
import { notification } from "./connection/notifications.ts";
import { choose, createParameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { againForKeys, jobsWithoutKeys, keepingKeysUnique } from "./unique.ts";

/**
 * The states of `scope` → pending with attempts 0 and no error; the runs they had are kept. Of a filter those are left that
 * wait for one that has failed, or whose unique keys others have; of several with one key the newest goes back.
 */
export async function retry(
  database: Database,
  selection: Selection,
  changes: JobChanges | undefined,
  scope: Scope,
  tell: TellAftermath = () => {},
): Promise<string[]> {
  let tried: readonly number[] = [];
  const transaction = () => putBack(database, selection, changes, scope, (jobs) => tried = jobs);
  const { ids, aftermath } = isNamed(selection)
    ? await keepingKeysUnique(database, () => tried, transaction)
    // Who has a key by now is found the next time.
    : await againForKeys(transaction);
  tell(aftermath);
  return ids;
}

async function putBack(
  database: Database,
  selection: Selection,
  changes: JobChanges | undefined,
  scope: Scope,
  trying: (jobs: readonly number[]) => void,
): Promise<{ ids: string[]; aftermath: Aftermath }> {
  return await database.transaction(async (run) => {
    const chosen = (await choose(database, run, selection, scope)).sort((a, b) => a.seq - b.seq);
    const able = await withoutFailedParents(run, chosen, isNamed(selection));
    const left = isNamed(selection) ? undefined : await jobsWithoutKeys(run, able.map(({ seq }) => seq));
    // Who waits for one that is left is left too.
    const jobs = left?.size
      ? await withoutFailedParents(run, able.filter(({ seq }) => !left.has(seq)), false)
      : able;
    const keyTaken = left?.size ?? 0;
    const parentFailed = chosen.length - jobs.length - keyTaken;
    if (jobs.length === 0) return { ids: [], aftermath: { ...noAftermath, keyTaken, parentFailed } };
    const keys = jobs.map(({ seq }) => seq);
    trying(keys);
    await forgiveBroken(run, keys);
    const parameters = createParameters();
    const list = parameters.add(asArray(keys));
    const now = timeSql(parameters.add(database.now()));
    await run(
      `UPDATE queuectl.jobs SET ${backInQueue} attempts = 0, postponed = 0, last_error = NULL,
        ${assignments(changes ?? {}, parameters)} updated_at = ${now}
       WHERE seq = ANY(${list}::bigint[])`,
      parameters.values,
    );
    const { back, stay } = await reopen(database, run, keys);
    await setTags(run, jobs, changes?.tags);
    const { text, parameters: payload } = notification(database);
    await run(text, payload);
    const asked = new Set(chosen.map(({ seq }) => seq));
    const stays = stay.filter((seq) => !asked.has(seq)).length;
    return {
      ids: jobs.map(({ id }) => id),
      aftermath: { dependants: back.length, stay: stays, keyTaken, parentFailed },
    };
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
}
