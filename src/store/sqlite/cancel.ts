/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { scopes } from "../refusals.ts";
import type { Cancelled, Selection } from "../store.ts";
import { openTally } from "./counters.ts";
import type { Database } from "./database.ts";
import { settle } from "./dependencies.ts";
import { change, choose } from "./selection.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. */
export async function cancel(database: Database, selection: Selection): Promise<Cancelled[]> {
  return await database.write(() => {
    const jobs = choose(database, selection, scopes.cancel);
    const now = database.now();
    const [running, waiting] = [true, false].map((runs) =>
      jobs.filter(({ state }) => (state === "processing") === runs)
    );
    change(
      database,
      "UPDATE jobs SET cancel_requested = 1, updated_at = :now WHERE seq IN (:keys)",
      running,
      { now },
    );
    change(
      database,
      `UPDATE jobs SET state = 'cancelled', set_aside = 1, available = 0, held = 0, next_attempt_at = NULL, updated_at = :now
       WHERE seq IN (:keys)`,
      waiting,
      { now },
    );
    const tally = openTally(database);
    for (const { state, queue } of waiting) tally.move(state, "cancelled", 1, queue);
    settle(database, tally, waiting.map(({ seq }) => seq), now);
    tally.write();
    return jobs.map(({ id, state }) => ({ id, running: state === "processing" }));
  });
}
