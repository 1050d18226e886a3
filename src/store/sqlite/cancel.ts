/** Cancelling jobs, from any terminal: one that runs is ended by its worker. */

import { noAftermath, type TellAftermath } from "../side_effects.ts";
import { type FoundJob, scopes } from "../refusals.ts";
import type { Cancelled, Selection } from "../store.ts";
import { openTally, type Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { settle } from "./dependencies.ts";
import { change, choose } from "./selection.ts";

/** pending or failed → cancelled; for one that is processing, its worker is asked to end it. */
export async function cancel(
  database: Database,
  selection: Selection,
  tell: TellAftermath = () => {},
): Promise<Cancelled[]> {
  let dependants = 0;
  const cancelled = await database.write(() => {
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
    const tally = openTally(database);
    dependants = cancelWaiting(database, waiting, tally);
    tally.write();
    return jobs.map(({ id, state }) => ({ id, running: state === "processing" }));
  });
  tell({ ...noAftermath, dependants });
  return cancelled;
}

/**
 * pending or failed → cancelled, and what waits for them; with a new last error where one is given. To be called in a
 * transaction. Gives how many of those were cancelled that wait for them.
 */
export function cancelWaiting(
  database: Database,
  jobs: readonly FoundJob[],
  tally: Tally,
  error: string | null = null,
): number {
  const now = database.now();
  change(
    database,
    `UPDATE jobs SET state = 'cancelled', set_aside = 1, available = 0, held = 0, next_attempt_at = NULL,
       last_error = coalesce(:error, last_error), updated_at = :now
     WHERE seq IN (:keys)`,
    jobs,
    { error, now },
  );
  for (const { state, queue } of jobs) tally.move(state, "cancelled", 1, queue);
  return settle(database, tally, jobs.map(({ seq }) => seq), now);
}
