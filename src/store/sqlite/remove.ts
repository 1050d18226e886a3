/** Removing jobs for good. */

import { noAftermath, type TellAftermath } from "../side_effects.ts";
import type { Scope } from "../refusals.ts";
import { isNamed, type Selection } from "../selection.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { unlink } from "./dependencies.ts";
import { attemptsOf } from "./attempt_key.ts";
import { reuseLog } from "./reserve.ts";
import { change, choose } from "./selection.ts";
import { forgetTags } from "./tags.ts";

/** The most jobs of a transaction where there is little room for the log. */
const fewJobs = 64;

/** The states of `scope` → (gone), with all runs; with `isShort` those of a filter few by few. */
export async function remove(
  database: Database,
  selection: Selection,
  scope: Scope,
  tell: TellAftermath = () => {},
  isShort = false,
): Promise<string[]> {
  const most = isShort && !isNamed(selection) ? fewJobs : Infinity;
  const removed: string[] = [];
  let dependants = 0;
  for (let count = most; count === most;) {
    const part = await removeUpTo(database, selection, scope, most);
    removed.push(...part.ids);
    dependants += part.dependants;
    count = part.ids.length;
    if (isShort) reuseLog(database);
  }
  tell({ ...noAftermath, dependants });
  return removed;
}

function removeUpTo(
  database: Database,
  selection: Selection,
  scope: Scope,
  most: number,
): Promise<{ ids: string[]; dependants: number }> {
  return database.write(() => {
    const jobs = choose(database, selection, scope, most).sort((a, b) => a.seq - b.seq);
    const tally = openTally(database);
    const dependants = unlink(database, tally, jobs, database.now());
    forgetTags(database, jobs);
    change(database, "DELETE FROM jobs WHERE seq IN (:keys)", jobs);
    const forget = database.prepare(`DELETE FROM attempts WHERE ${attemptsOf("?1")}`);
    for (const { seq, state, queue } of jobs) {
      forget.run(seq);
      tally.move(state, null, 1, queue);
    }
    tally.write();
    return { ids: jobs.map(({ id }) => id), dependants };
  });
}
