/** Giving jobs that have ended, or wait for a retry, all their attempts again. */

import type { Scope } from "../refusals.ts";
import type { JobChanges } from "../../job/job.ts";
import { isNamed, type Selection } from "../selection.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { backInQueue, reopen, withoutFailedParents } from "./dependencies.ts";
import { assignments } from "./edit.ts";
import { change, choose } from "./selection.ts";
import { setTags } from "./tags.ts";
import { keepingKeysUnique } from "./unique.ts";

/** The states of `scope` → pending with attempts 0 and no error; the runs they had are kept. */
export async function retry(
  database: Database,
  selection: Selection,
  changes: JobChanges | undefined,
  scope: Scope,
): Promise<string[]> {
  return await database.write(() => {
    const chosen = choose(database, selection, scope).sort((a, b) => a.seq - b.seq);
    const jobs = withoutFailedParents(database, chosen, isNamed(selection));
    const now = database.now();
    const { sql, parameters } = assignments(changes ?? {});
    const tally = openTally(database);
    for (const { state, queue } of jobs) tally.move(state, "pending", 1, queue);
    const back = jobs.map(({ seq }) => seq);
    keepingKeysUnique(database, back, () => {
      change(
        database,
        `UPDATE jobs SET ${backInQueue}
          attempts = 0, last_error = NULL, ${sql} updated_at = :now
         WHERE seq IN (:keys)`,
        jobs,
        { ...parameters, now },
      );
      reopen(database, tally, jobs.map(({ seq }) => seq), now, (others) => back.push(...others));
    });
    setTags(database, jobs, changes?.tags);
    tally.write();
    return jobs.map(({ id }) => id);
  });
}
