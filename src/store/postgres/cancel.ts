/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { scopes } from "../refusals.ts";
import type { Cancelled, Selection } from "../store.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./database.ts";
import { settle } from "./dependencies.ts";
import { notification } from "./notifications.ts";
import { choose } from "./selection.ts";
import { asArray } from "./storable.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. */
export async function cancel(database: Database, selection: Selection): Promise<Cancelled[]> {
  return await database.transaction(async (run) => {
    const jobs = await choose(database, run, selection, scopes.cancel);
    const changes = {
      processing: "cancel_requested = true",
      waiting: "state = 'cancelled', available = false, held = false, next_attempt_at = NULL",
    };
    for (const [kind, change] of Object.entries(changes)) {
      const keys = jobs.filter(({ state }) => (state === "processing") === (kind === "processing"))
        .map(({ seq }) => seq);
      if (keys.length === 0) continue;
      await run(
        `UPDATE queuectl.jobs SET ${change}, updated_at = ${timeSql("$2")} WHERE seq = ANY($1::bigint[])`,
        [asArray(keys), database.now()],
      );
    }
    await settle(
      database,
      run,
      jobs.filter(({ state }) => state !== "processing").map(({ seq }) => seq),
    );
    if (jobs.some(({ state }) => state === "processing")) {
      const { text, parameters } = notification(database);
      await run(text, parameters);
    }
    return jobs.map(({ id, state }) => ({ id, running: state === "processing" }));
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
}
