/** A new job as a row. */

import type { NewJob } from "../../job/job.ts";
import type { Extras } from "../optional_fields.ts";

/** The columns that all new jobs fill. */
export const newColumns = "id, command, attempts, max_retries, priority, timeout, base_backoff, cwd, env";

/** What of a new job goes into {@link newColumns}. */
export function newValues(job: NewJob): Array<string | number | null> {
  const env = job.env && Object.keys(job.env).length > 0 ? JSON.stringify(job.env) : null;
  return [
    job.id,
    job.command,
    job.attempts,
    job.maxRetries,
    job.priority,
    job.timeout,
    job.baseBackoff,
    job.cwd,
    env,
  ];
}

/** The same for {@link extraColumns}. */
export const extraValues = ({ queue, held, tags, unique_key, retry_rules }: Extras) => [
  queue,
  Number(held),
  tags,
  unique_key,
  retry_rules,
];
