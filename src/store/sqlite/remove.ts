/** Removing jobs for good. */

import { noAftermath, type TellAftermath } from "../aftermath.ts";
import type { Scope } from "../refusals.ts";
import type { Selection } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { unlink } from "./dependencies.ts";
import { attemptsOf } from "./attempt_key.ts";
import { forgetEmptyParts } from "./search_index.ts";
import { change, choose } from "./selection.ts";
import { forgetTags } from "./tags.ts";

/** The states of `scope` → (gone), with all runs. */
export async function remove(
  database: Database,
  selection: Selection,
  scope: Scope,
  tell: TellAftermath = () => {},
): Promise<string[]> {
  let dependants = 0;
  const ids = await database.write(() => {
    const jobs = choose(database, selection, scope).sort((a, b) => a.seq - b.seq);
    const tally = openTally(database);
    dependants = unlink(database, tally, jobs, database.now());
    forgetTags(database, jobs);
    change(database, "DELETE FROM jobs WHERE seq IN (:keys)", jobs);
    forgetEmptyParts(database, jobs);
    const forget = database.prepare(`DELETE FROM attempts WHERE ${attemptsOf("?1")}`);
    for (const { seq, state, queue } of jobs) {
      forget.run(seq);
      tally.move(state, null, 1, queue);
    }
    tally.write();
    return jobs.map(({ id }) => id);
  });
  tell({ ...noAftermath, dependants });
  return ids;
}
