/** Changing what a job is, while it does not run. */

import { scopes } from "../refusals.ts";
import type { JobChanges, Start } from "../../job/job.ts";
import { clockSql, timeSql } from "./clock.ts";
import type { Database, Run } from "./connection/database.ts";
import { notification } from "./connection/notifications.ts";
import { choose, createParameters, type Parameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { setTags } from "./tags.ts";

/** (any state but processing) → the same state, with other fields; pending or failed, with another time to wait for. */
export async function edit(
  database: Database,
  ids: readonly string[],
  changes: JobChanges,
  start?: Start,
): Promise<string[]> {
  return await database.transaction(async (run) => {
    const jobs = await choose(database, run, ids, start === undefined ? scopes.edit : scopes.reschedule);
    const parameters = createParameters();
    const keys = parameters.add(asArray(jobs.map(({ seq }) => seq)));
    const now = timeSql(parameters.add(database.now()));
    await run(
      `UPDATE queuectl.jobs SET ${assignments(changes, parameters)} updated_at = ${now}
       WHERE seq = ANY(${keys}::bigint[])`,
      parameters.values,
    );
    await setTags(run, jobs, changes.tags);
    if (start !== undefined) await reschedule(database, run, jobs, start);
    return jobs.map(({ id }) => id);
    // A second time it might find that it runs already, and take that for a conflict.
  }, start === undefined ? {} : { unknown: "tell" });
}

async function reschedule(
  database: Database,
  run: Run,
  jobs: readonly { seq: number }[],
  start: Start,
): Promise<void> {
  const at = start !== null && "at" in start ? start.at : null;
  const delay = start !== null && "delay" in start ? start.delay : 0;
  await run(
    `WITH ${clockSql("$2")},
     start AS MATERIALIZED (
       SELECT CASE WHEN wanted > now THEN wanted END AS due
       FROM (SELECT now, coalesce($3::bigint, now + $4::bigint) AS wanted FROM clock) AS wish
     )
     UPDATE queuectl.jobs SET next_attempt_at = due, available = due IS NULL AND NOT held AND blocked = 0
     FROM start WHERE seq = ANY($1::bigint[])`,
    [asArray(jobs.map(({ seq }) => seq)), database.now(), at, delay],
  );
  const { text, parameters } = notification(database);
  await run(text, parameters);
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
