/** Changing what a job is, while it does not run. */

import { scopes } from "../refusals.ts";
import type { JobChanges, Start } from "../../job/job.ts";
import type { Database } from "./database.ts";
import { change, choose, type Parameters } from "./selection.ts";
import { setTags } from "./tags.ts";

/** (any state but processing) → the same state, with other fields; pending or failed, with another time to wait for. */
export async function edit(
  database: Database,
  ids: readonly string[],
  changes: JobChanges,
  start?: Start,
): Promise<string[]> {
  return await database.write(() => {
    const jobs = choose(database, ids, start === undefined ? scopes.edit : scopes.reschedule);
    const { sql, parameters } = assignments(changes);
    change(
      database,
      `UPDATE jobs SET ${sql} updated_at = :now WHERE seq IN (:keys)`,
      jobs,
      { ...parameters, now: database.now() },
    );
    setTags(database, jobs, changes.tags);
    if (start !== undefined) reschedule(database, jobs, start);
    return jobs.map(({ id }) => id);
  });
}

function reschedule(database: Database, jobs: readonly { seq: number }[], start: Start): void {
  const now = database.now();
  const due = start === null ? now : "at" in start ? start.at : now + start.delay;
  change(
    database,
    `UPDATE jobs SET next_attempt_at = :due, available = (:due IS NULL AND held = 0 AND blocked = 0)
     WHERE seq IN (:keys)`,
    jobs,
    { due: due > now ? due : null },
  );
}

const columns = {
  command: "command",
  priority: "priority",
  maxRetries: "max_retries",
  timeout: "timeout",
  baseBackoff: "base_backoff",
  cwd: "cwd",
} as const;

/** Changes as the beginning of what is SET, each with a comma behind it. */
export function assignments(
  { env, retryRules, tags: _, ...fields }: JobChanges,
): { sql: string; parameters: Parameters } {
  const parameters: Parameters = {};
  let sql = "";
  for (const [name, column] of Object.entries(columns)) {
    const value = fields[name as keyof typeof columns];
    if (value === undefined) continue;
    sql += `${column} = :${name}, `;
    parameters[name] = value;
  }
  for (const [column, change] of Object.entries({ env, retry_rules: retryRules })) {
    if (change === undefined) continue;
    // A null takes the name away (RFC 7396).
    sql += `${column} = nullif(json_patch(coalesce(${column}, '{}'), :${column}), '{}'), `;
    parameters[column] = JSON.stringify(change);
  }
  return { sql, parameters };
}
