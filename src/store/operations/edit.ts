/** Changing what a job is, while it does not run. */

import type { JobChanges, Start } from "../../job/job.ts";
import type { FoundJob } from "../errors.ts";
import { type Changed, changed } from "../side_effects.ts";
import { keysOf, type Part, type Sql, type Steps } from "../sql.ts";
import { setTags } from "./tags.ts";

/** (any state but processing) → the same state, with other fields; pending or failed, with another time to wait for. */
export function* edit(sql: Sql, jobs: FoundJob[], changes: JobChanges, start?: Start): Steps<Changed> {
  yield* sql`
    UPDATE queuectl.jobs SET ${assignments(sql, changes)} updated_at = ${sql.now}
    WHERE seq ${sql.among(keysOf(jobs))}`;
  yield* setTags(sql, jobs, changes.tags);
  if (start !== undefined) yield* reschedule(sql, jobs, start);
  return changed(jobs);
}

function* reschedule(sql: Sql, jobs: readonly { seq: number }[], start: Start): Steps<void> {
  const at = start !== null && "at" in start ? start.at : null;
  const delay = start !== null && "delay" in start ? start.delay : 0;
  yield* sql`
    UPDATE queuectl.jobs SET next_attempt_at = due, available = (due IS NULL AND NOT held AND blocked = 0)
    FROM (
      SELECT CASE WHEN wanted > now THEN wanted END AS due
      FROM (
        SELECT now, coalesce(CAST(${at} AS bigint), now + CAST(${delay} AS bigint)) AS wanted
        FROM (SELECT ${sql.now} AS now) AS clock
      ) AS wish
    ) AS start
    WHERE seq ${sql.among(keysOf(jobs))}`;
  yield* sql.announce();
}

const columns = {
  command: ["command", "text"],
  priority: ["priority", "integer"],
  maxRetries: ["max_retries", "integer"],
  timeout: ["timeout", "bigint"],
  baseBackoff: ["base_backoff", "double precision"],
  cwd: ["cwd", "text"],
} as const;

/** Changes as the beginning of what is SET, each with a comma behind it. */
export const assignments = (
  sql: Sql,
  { env, retryRules, tags: _, ...fields }: JobChanges,
): Part =>
(add) => {
  let text = "";
  for (const [name, [column, type]] of Object.entries(columns)) {
    const value = fields[name as keyof typeof columns];
    if (value !== undefined) text += `${column} = CAST(${add(value)} AS ${type}), `;
  }
  for (const [column, change] of Object.entries({ env, retry_rules: retryRules })) {
    if (change !== undefined) text += `${column} = ${sql.merged(column, change)(add)}, `;
  }
  return text;
};
