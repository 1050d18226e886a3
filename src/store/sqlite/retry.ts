/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import type { TellAftermath } from "../side_effects.ts";
import type { Scope } from "../refusals.ts";
import type { JobChanges } from "../../job/job.ts";
import { isNamed, type Selection } from "../selection.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { backInQueue, reopen, withoutFailedParents } from "./retried_dependants.ts";
import { forgiveBroken } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { setTags } from "./tags.ts";
import { change, choose } from "./selection.ts";
import { jobsWithoutKeys, keepingKeysUnique } from "./unique.ts";

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
  const { ids, aftermath } = await database.write(() => {
    const chosen = choose(database, selection, scope).sort((a, b) => a.seq - b.seq);
    const able = withoutFailedParents(database, chosen, isNamed(selection));
    const left = isNamed(selection) ? undefined : jobsWithoutKeys(database, able.map(({ seq }) => seq));
    // Who waits for one that is left is left too.
    const jobs = left?.size
      ? withoutFailedParents(database, able.filter(({ seq }) => !left.has(seq)), false)
      : able;
    forgiveBroken(database, jobs.map(({ seq }) => seq));
    const now = database.now();
    const { sql, parameters } = assignments(changes ?? {});
    const tally = openTally(database);
    for (const { state, queue } of jobs) tally.move(state, "pending", 1, queue);
    const keys = jobs.map(({ seq }) => seq);
    keepingKeysUnique(database, keys, () =>
      change(
        database,
        `UPDATE jobs SET ${backInQueue}
          attempts = 0, postponed = 0, last_error = NULL, ${sql} updated_at = :now
         WHERE seq IN (:keys)`,
        jobs,
        { ...parameters, now },
      ));
    const { back, stay } = reopen(database, tally, keys, now);
    setTags(database, jobs, changes?.tags);
    tally.write();
    const asked = new Set(chosen.map(({ seq }) => seq));
    const keyTaken = left?.size ?? 0;
    return {
      ids: jobs.map(({ id }) => id),
      aftermath: {
        dependants: back.length,
        stay: stay.filter((seq) => !asked.has(seq)).length,
        keyTaken,
        parentFailed: chosen.length - jobs.length - keyTaken,
      },
    };
  });
  tell(aftermath);
  return ids;
}
