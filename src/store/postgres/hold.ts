/** Jobs that do not run before somebody lets them go. */

import { notHeld, scopes } from "../refusals.ts";
import { number } from "../rows.ts";
import { isNamed, type Selection } from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./connection/database.ts";
import { notification } from "./connection/notifications.ts";
import { choose } from "./selection.ts";
import { asArray } from "./storable.ts";

/** pending or failed → the same state, held: it cannot be claimed, also when its time comes. */
export async function hold(database: Database, selection: Selection): Promise<string[]> {
  return await database.transaction(async (run) => {
    const jobs = await choose(database, run, selection, scopes.hold);
    await run(
      `UPDATE queuectl.jobs SET held = true, available = false, updated_at = ${timeSql("$2")}
       WHERE seq = ANY($1::bigint[]) AND NOT held`,
      [asArray(jobs.map(({ seq }) => seq)), database.now()],
    );
    return jobs.map(({ id }) => id);
  }, { pace: "slow" });
}

/** Held → not held: it can be claimed, unless it waits for a time or for other jobs. */
export async function release(database: Database, selection: Selection): Promise<string[]> {
  return await database.transaction(async (run) => {
    const chosen = await choose(database, run, selection, scopes.release);
    const rows = await run(
      `UPDATE queuectl.jobs SET held = false, available = (blocked = 0 AND next_attempt_at IS NULL),
         updated_at = ${timeSql("$2")}
       WHERE held AND seq = ANY($1::bigint[]) RETURNING seq`,
      [asArray(chosen.map(({ seq }) => seq)), database.now()],
    );
    const held = new Set(rows.map((row) => number(row, "seq")));
    const others = chosen.filter(({ seq }) => !held.has(seq));
    if (isNamed(selection) && others.length > 0) throw notHeld(others);
    const jobs = chosen.filter(({ seq }) => held.has(seq));
    if (jobs.length === 0) return [];
    const { text, parameters } = notification(database);
    await run(text, parameters);
    return jobs.map(({ id }) => id);
    // A second time it would find its own work, and take it for a conflict.
  }, { pace: "slow", unknown: "tell" });
}
