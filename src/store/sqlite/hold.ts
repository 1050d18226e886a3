/** Jobs that do not run before somebody lets them go. */

import { notHeld, scopes } from "../refusals.ts";
import { isNamed, type Selection } from "../selection.ts";
import type { Database } from "./database.ts";
import { change, choose } from "./selection.ts";

/** pending or failed → the same state, held: it cannot be claimed, also when its time comes. */
export async function hold(database: Database, selection: Selection): Promise<string[]> {
  return await database.write(() => {
    const jobs = choose(database, selection, scopes.hold);
    change(
      database,
      "UPDATE jobs SET held = 1, available = 0, updated_at = :now WHERE seq IN (:keys) AND held = 0",
      jobs,
      { now: database.now() },
    );
    return jobs.map(({ id }) => id);
  });
}

/** Held → not held: it can be claimed, unless it waits for a time or for other jobs. */
export async function release(database: Database, selection: Selection): Promise<string[]> {
  return await database.write(() => {
    const chosen = choose(database, selection, scopes.release);
    const held = new Set(
      database.prepare("SELECT seq FROM jobs WHERE held = 1 AND seq IN (SELECT value FROM json_each(?))")
        .all(JSON.stringify(chosen.map(({ seq }) => seq))).map(({ seq }) => seq as number),
    );
    const others = chosen.filter(({ seq }) => !held.has(seq));
    if (isNamed(selection) && others.length > 0) throw notHeld(others);
    const jobs = chosen.filter(({ seq }) => held.has(seq));
    change(
      database,
      `UPDATE jobs SET held = 0, available = (blocked = 0 AND next_attempt_at IS NULL), updated_at = :now
       WHERE seq IN (:keys)`,
      jobs,
      { now: database.now() },
    );
    return jobs.map(({ id }) => id);
  });
}
