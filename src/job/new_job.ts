/** The one way into the queue: whatever describes a new job is checked here and becomes a {@link NewJob}. */

import type { Config } from "./settings.ts";
import { QueuectlError } from "../base/errors.ts";
import { parseMoment } from "../base/moment.ts";
import { didYouMean } from "../base/nearest.ts";
import { signedStatus } from "./exit_status.ts";
import { defaultQueueName, type JobChanges, type NewJob, type RetryRules } from "./job.ts";
import { fields, type JobFields, readDuration } from "./job_fields.ts";
import { newJobId } from "./job_id.ts";

/** A job whose fields are right, before the stored settings are known. */
export interface CheckedJob extends Omit<NewJob, "maxRetries"> {
  /** Null where the setting `max-retries` decides. */
  maxRetries: number | null;
}

/**
 * Reads a job from JSON text. `resolveFolder` makes `cwd` absolute. Throws `usage`, with the reason in one line, for
 * anything that is not a valid job.
 */
export function parseNewJob(json: string, resolveFolder: (cwd: string) => string): CheckedJob {
  return checkNewJob(parseJson(json), resolveFolder);
}

/** The value of a JSON text. Throws `usage`, with the SyntaxError as its cause. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new QueuectlError("usage", `Invalid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** Checks a job given as a plain value with the JSON field names. Throws `usage` as {@link parseNewJob} does. */
export function checkNewJob(value: unknown, resolveFolder: (cwd: string) => string): CheckedJob {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new QueuectlError("usage", 'A job must be a JSON object, like {"command": "echo hello"}');
  }
  for (const name in value) {
    const check = fields.get(name);
    if (!check) {
      throw new QueuectlError("usage", `Unknown field "${name}"${didYouMean(name, [...fields.keys()])}`);
    }
    const problem = check((value as Record<string, unknown>)[name], `Field "${name}"`);
    if (problem !== undefined) throw new QueuectlError("usage", problem);
  }
  if (!Object.hasOwn(value, "command")) throw new QueuectlError("usage", `Field "command" is missing`);
  const job = value as JobFields;
  if (job.delay !== undefined && job.at !== undefined) {
    throw new QueuectlError("usage", `Only one of the fields "delay" and "at" can be given`);
  }
  const checked: CheckedJob = {
    id: job.id ?? newJobId(),
    command: job.command,
    attempts: job.attempts ?? 0,
    maxRetries: job.max_retries ?? null,
    priority: job.priority ?? 0,
    timeout: readDuration(job.timeout) ?? null,
    baseBackoff: job.base_backoff ?? null,
    cwd: job.cwd === undefined ? null : resolveFolder(job.cwd),
    env: job.env ?? null,
  };
  if (job.delay !== undefined) checked.delay = readDuration(job.delay);
  if (job.at !== undefined) checked.at = parseMoment(job.at);
  addExtras(checked, job);
  return checked;
}

/** The fields that few jobs have: none of them is there in the others. */
function addExtras(checked: CheckedJob, job: JobFields): void {
  if (job.on_duplicate !== undefined && job.unique === undefined) {
    throw new QueuectlError(
      "usage",
      `Field "on_duplicate" says what to do with a "unique" one, which is missing`,
    );
  }
  if (job.queue !== undefined && job.queue !== defaultQueueName) checked.queue = job.queue;
  if (job.tags !== undefined && job.tags.length > 0) checked.tags = [...new Set(job.tags)];
  if (job.unique !== undefined) checked.uniqueKey = job.unique;
  if (job.on_duplicate !== undefined) checked.onDuplicate = job.on_duplicate;
  if (job.hold) checked.held = true;
  if (job.after !== undefined && job.after.length > 0) checked.after = [...new Set(job.after)];
  if (job.after_any !== undefined && job.after_any.length > 0) checked.afterAny = [...new Set(job.after_any)];
  const rules: RetryRules = {};
  if (job.backoff !== undefined) rules.backoff = job.backoff;
  if (job.max_backoff !== undefined) rules.maxBackoff = readDuration(job.max_backoff);
  if (job.jitter !== undefined) rules.jitter = job.jitter;
  if (job.retry_on !== undefined) rules.retryOn = job.retry_on.map(signedStatus);
  if (job.no_retry_on !== undefined) rules.noRetryOn = job.no_retry_on.map(signedStatus);
  refuseContradiction(rules);
  if (Object.keys(rules).length > 0) checked.retryRules = rules;
}

/** Throws `usage` where an exit status is in both lists. */
export function refuseContradiction({ retryOn, noRetryOn }: JobChanges["retryRules"] & object): void {
  const both = retryOn?.find((status) => noRetryOn?.includes(status));
  if (both === undefined) return;
  throw new QueuectlError("usage", `Exit status ${both} cannot be in both "retry_on" and "no_retry_on"`);
}

/** What queues have for their new jobs, by their names; null where that is nothing. */
export type DefaultsOfQueues = ReadonlyMap<string, Pick<CheckedJob, "maxRetries" | "timeout">>;

/**
 * The job as it is stored: what it leaves open is taken from its queue, and then from the settings in force when it is
 * enqueued.
 */
export function withDefaults(
  job: CheckedJob,
  config: Pick<Config, "maxRetries">,
  queues: DefaultsOfQueues,
): NewJob {
  const queue = queues.get(job.queue ?? defaultQueueName);
  const maxRetries = job.maxRetries ?? queue?.maxRetries ?? config.maxRetries;
  return { ...job, maxRetries, timeout: job.timeout ?? queue?.timeout ?? null };
}
