/** Sending a signal to the commands of jobs that run: their workers find it, and deliver it. */

import { scopes } from "../refusals.ts";
import type { Selection } from "../selection.ts";
import type { Database } from "./database.ts";
import { change, choose } from "./selection.ts";

/** Leaves a signal for the present run of each of the jobs. */
export async function signal(database: Database, selection: Selection, name: string): Promise<string[]> {
  return await database.write(() => {
    const jobs = choose(database, selection, scopes.signal);
    change(
      database,
      "INSERT INTO signals (job, run, name) SELECT seq, run, :name FROM jobs WHERE seq IN (:keys) ORDER BY seq",
      jobs,
      { name },
    );
    return jobs.map(({ id }) => id);
  });
}
