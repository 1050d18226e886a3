/** Sending a signal to the commands of jobs that run: their workers find it, and deliver it. */

import { scopes } from "../refusals.ts";
import type { Selection } from "../selection.ts";
import type { Database } from "./database.ts";
import { change, choose } from "./selection.ts";

/** Leaves a signal for the present run of each of the jobs, and notes whether that stops its command or lets it go on. */
export async function signal(database: Database, selection: Selection, name: string): Promise<string[]> {
  return await database.write(() => {
    const jobs = choose(database, selection, scopes.signal);
    change(
      database,
      "INSERT INTO signals (job, run, name) SELECT seq, run, :name FROM jobs WHERE seq IN (:keys) ORDER BY seq",
      jobs,
      { name },
    );
    if (name === "SIGSTOP" || name === "SIGCONT") {
      const run = name === "SIGSTOP" ? "run" : "NULL";
      change(database, `UPDATE jobs SET stopped_run = ${run} WHERE seq IN (:keys)`, jobs, {});
    }
    return jobs.map(({ id }) => id);
  });
}
