/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { noAftermath, type TellAftermath } from "../side_effects.ts";
import { scopes } from "../refusals.ts";
import type { Cancelled, Selection } from "../store.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./connection/database.ts";
import { settle } from "./dependencies.ts";
import { notification } from "./connection/notifications.ts";
import { choose } from "./selection.ts";
import { asArray, asJson } from "./storable.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. */
export async function cancel(
  database: Database,
  selection: Selection,
  tell: TellAftermath = () => {},
): Promise<Cancelled[]> {
  let dependants = 0;
  const cancelled = await database.transaction(async (run) => {
    const jobs = await choose(database, run, selection, scopes.cancel);
    const [running, waiting] = [true, false].map((runs) =>
      jobs.filter(({ state }) => (state === "processing") === runs)
    );
    dependants = await cancelWaiting(database, run, waiting);
    if (running.length > 0) {
      await run(
        `UPDATE queuectl.jobs SET cancel_requested = true, updated_at = ${timeSql("$2")}
         WHERE seq = ANY($1::bigint[])`,
        [asArray(running.map(({ seq }) => seq)), database.now()],
      );
      const { text, parameters } = notification(database);
      await run(text, parameters);
    }
    return jobs.map(({ id, state }) => ({ id, running: state === "processing" }));
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
  tell({ ...noAftermath, dependants });
  return cancelled;
}

/**
 * pending or failed → cancelled, and what waits for them; with a new last error where one is given. To be called in a
 * transaction. Gives how many of those were cancelled that wait for them.
 */
export async function cancelWaiting(
  database: Database,
  run: Run,
  jobs: readonly { seq: number; error?: string }[],
): Promise<number> {
  if (jobs.length === 0) return 0;
  await run(
    `UPDATE queuectl.jobs AS job SET state = 'cancelled', available = false, held = false, next_attempt_at = NULL,
       last_error = coalesce(each.error, job.last_error), updated_at = ${timeSql("$2")}
     FROM json_to_recordset($1::text::json) AS each (seq bigint, error text) WHERE job.seq = each.seq`,
    [asJson(jobs.map(({ seq, error }) => ({ seq, error }))), database.now()],
  );
  return await settle(database, run, jobs.map(({ seq }) => seq));
}
