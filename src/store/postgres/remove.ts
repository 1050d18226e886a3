/** Removing jobs for good. */

import { noAftermath, type TellAftermath } from "../side_effects.ts";
import type { Scope } from "../refusals.ts";
import type { Selection } from "../store.ts";
import type { Database } from "./connection/database.ts";
import { unlink } from "./dependencies.ts";
import { notification } from "./connection/notifications.ts";
import { choose } from "./selection.ts";
import { asArray } from "./storable.ts";
import { forgettingTags } from "./tags.ts";

/** The states of `scope` → (gone), with all runs. */
export async function remove(
  database: Database,
  selection: Selection,
  scope: Scope,
  tell: TellAftermath = () => {},
): Promise<string[]> {
  let dependants = 0;
  const ids = await database.transaction(async (run) => {
    const jobs = (await choose(database, run, selection, scope)).sort((a, b) => a.seq - b.seq);
    if (jobs.length === 0) return [];
    const { cancelled, mayFree } = await unlink(database, run, jobs);
    dependants = cancelled;
    const keys = [asArray(jobs.map(({ seq }) => seq))];
    await run(
      forgettingTags("DELETE FROM queuectl.jobs WHERE seq = ANY($1::bigint[]) RETURNING seq, tags"),
      keys,
    );
    await run("DELETE FROM queuectl.attempts WHERE job = ANY($1::bigint[])", keys);
    if (mayFree) {
      const { text, parameters } = notification(database);
      await run(text, parameters);
    }
    return jobs.map(({ id }) => id);
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
  tell({ ...noAftermath, dependants });
  return ids;
}
