/** Changing what a job is, while it does not run. */

import { scopes } from "../refusals.ts";
import type { JobChanges } from "../../job/job.ts";
import { timeSql } from "./clock.ts";
import type { Database } from "./database.ts";
import { choose, createParameters, type Parameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { setTags } from "./tags.ts";

/** (any state but processing) → the same state, with other fields. */
export async function edit(
  database: Database,
  ids: readonly string[],
  changes: JobChanges,
): Promise<string[]> {
  return await database.transaction(async (run) => {
    const jobs = await choose(database, run, ids, scopes.edit);
    const parameters = createParameters();
    const keys = parameters.add(asArray(jobs.map(({ seq }) => seq)));
    const now = timeSql(parameters.add(database.now()));
    await run(
      `UPDATE queuectl.jobs SET ${assignments(changes, parameters)} updated_at = ${now}
       WHERE seq = ANY(${keys}::bigint[])`,
      parameters.values,
    );
    await setTags(run, jobs, changes.tags);
    return jobs.map(({ id }) => id);
  });
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
export function assignments(
  { env, retryRules, tags: _, ...fields }: JobChanges,
  parameters: Parameters,
): string {
  let sql = "";
  for (const [name, [column, type]] of Object.entries(columns)) {
    const value = fields[name as keyof typeof columns];
    if (value !== undefined) sql += `${column} = ${parameters.add(value)}::${type}, `;
  }
  for (const [column, change] of Object.entries({ env, retry_rules: retryRules })) {
    if (change === undefined) continue;
    const merged = `coalesce(${column}, '{}')::jsonb || ${
      parameters.add(JSON.stringify(change))
    }::text::jsonb`;
    sql += `${column} = nullif(jsonb_strip_nulls(${merged})::text, '{}'), `;
  }
  return sql;
}
