/** Changing what a job is, while it does not run. */

import { scopes } from "../refusals.ts";
import type { JobChanges, Start } from "../../job/job.ts";
import type { Database } from "./database.ts";
import { change, changeAt, choose, type Condition } from "./selection.ts";
import { noteCommand } from "./search_index.ts";
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
    changeAt(
      database,
      `UPDATE jobs SET ${sql} updated_at = :now WHERE seq IN (:keys)`,
      jobs,
      database.now(),
      parameters,
    );
    noteFields(database, jobs, changes);
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

/** What other tables say of fields that have been changed: tags, and where the search index finds a command. */
export function noteFields(database: Database, jobs: readonly { seq: number }[], changes: JobChanges): void {
  if (changes.command !== undefined) noteCommand(database, jobs, changes.command);
  setTags(database, jobs, changes.tags);
}

/** Changes as the beginning of what is SET, each with a comma behind it. */
export function assignments({ env, retryRules, tags: _, ...fields }: JobChanges): Condition {
  const parameters: Condition["parameters"] = {};
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
