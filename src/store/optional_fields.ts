/** The fields of a new job that only some have, as their columns take them. */

import { defaultQueueName, type NewJob } from "../job/job.ts";

/** The columns, in the order of {@link Extras}; an engine that knows truth values gets `held` as one. */
export const extraColumns = "queue, held, tags, unique_key, retry_rules";

export interface Extras {
  queue: string;
  held: boolean;
  /** JSON. */
  tags: string | null;
  unique_key: string | null;
  /** JSON. */
  retry_rules: string | null;
}

/** What is stored of them; undefined for a job that has none of them. */
export function extrasOf(job: NewJob): Extras | undefined {
  const { queue = defaultQueueName, held = false, tags = [], uniqueKey = null, retryRules } = job;
  const isPlain = queue === defaultQueueName && !held && tags.length === 0 && uniqueKey === null &&
    retryRules === undefined;
  if (isPlain) return undefined;
  return {
    queue,
    held,
    tags: tags.length > 0 ? JSON.stringify(tags) : null,
    unique_key: uniqueKey,
    retry_rules: retryRules === undefined ? null : JSON.stringify(retryRules),
  };
}

/** Whether a new job waits for others. */
export const hasParents = ({ after, afterAny }: NewJob): boolean =>
  (after?.length ?? 0) + (afterAny?.length ?? 0) > 0;

/** What a plain job has. */
export const noExtras: Extras = {
  queue: defaultQueueName,
  held: false,
  tags: null,
  unique_key: null,
  retry_rules: null,
};
