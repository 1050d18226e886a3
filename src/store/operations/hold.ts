/** Held jobs: they do not run until somebody releases them. */

import { type FoundJob, notHeld } from "../errors.ts";
import { number } from "../rows.ts";
import { keysOf, type Sql, type Steps } from "../sql.ts";
import { type Changed, changed } from "../side_effects.ts";

/** pending or failed → the same state, held: it cannot be claimed, also when its time comes. */
export function* hold(sql: Sql, jobs: FoundJob[]): Steps<Changed> {
  yield* sql`
    UPDATE queuectl.jobs SET held = TRUE, available = FALSE, updated_at = ${sql.now}
    WHERE seq ${sql.among(keysOf(jobs))} AND NOT held`;
  return changed(jobs);
}

/** Held → not held: it can be claimed, unless it waits for a time or for other jobs. */
export function* release(sql: Sql, chosen: FoundJob[], areNamed: boolean): Steps<Changed> {
  const rows = yield* sql`
    UPDATE queuectl.jobs SET held = FALSE, available = (blocked = 0 AND next_attempt_at IS NULL),
      updated_at = ${sql.now}
    WHERE seq ${sql.among(keysOf(chosen))} AND held RETURNING seq`;
  const held = new Set(rows.map((row) => number(row, "seq")));
  const others = chosen.filter(({ seq }) => !held.has(seq));
  if (areNamed && others.length > 0) throw notHeld(others);
  if (held.size > 0) yield* sql.announce();
  return changed(chosen.filter(({ seq }) => held.has(seq)));
}
