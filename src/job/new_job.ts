/** The one way into the queue: whatever describes a new job is checked here and becomes a {@link NewJob}. */

import { backoffKinds, type Config } from "../config.ts";
import { maxDuration, parseDuration } from "../duration.ts";
import { QueuectlError } from "../errors.ts";
import { parseMoment } from "../moment.ts";
import { didYouMean } from "../nearest.ts";
import {
  defaultQueueName,
  duplicatePolicies,
  type DuplicatePolicy,
  type JobChanges,
  type NewJob,
  type RetryRules,
} from "./job.ts";
import { newJobId } from "./job_id.ts";

/** The most retries a job can have. */
export const maxRetriesLimit = 1000;
/** Bytes of a command: what Linux takes as one argument (MAX_ARG_STRLEN, 128 KiB with the closing NUL). */
const maxCommandBytes = 131_071;

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const controlCharacter = /[\x00-\x1f\x7f-\x9f]/;

/** What is wrong with a value, as a sentence that begins with `name`; undefined when nothing is. */
type Check = (value: unknown, name: string) => string | undefined;

const text =
  (check: (text: string, name: string) => string | undefined = () => undefined): Check => (value, name) => {
    if (typeof value !== "string") return `${name} must be text`;
    if (!value.isWellFormed()) return `${name} must not contain half of a Unicode character`;
    if (value.includes("\0")) return `${name} must not contain a NUL character`;
    return check(value, name);
  };

const number = (kind: string, minimum: number, maximum: number): Check => (value, name) => {
  const isRight = typeof value === "number" && value >= minimum && value <= maximum &&
    (kind !== "whole number" || Number.isInteger(value));
  return isRight ? undefined : `${name} must be a ${kind} from ${minimum} to ${maximum}`;
};

function checkId(id: string, name: string): string | undefined {
  if (id.trim() === "" || id.length > 255) return `${name} must be 1 to 255 characters long`;
  if (id !== id.trim()) return `${name} must not begin or end with a space`;
  if (controlCharacter.test(id)) return `${name} contains a control character`;
  if (id.startsWith("-")) return `${name} must not begin with "-", it would be read as a flag`;
}

function checkCommand(command: string, name: string): string | undefined {
  if (command.trim() === "") return `${name} must not be empty`;
  // Only a text of many characters can be too many bytes; counting them is not free.
  if (command.length * 3 > maxCommandBytes && new TextEncoder().encode(command).length > maxCommandBytes) {
    return `${name} must be at most ${maxCommandBytes} bytes long; put a longer one into a script file`;
  }
}

const checkDuration: Check = (value, name) => {
  const duration = readDuration(value);
  if (duration === undefined || !(duration >= 0 && duration <= maxDuration)) {
    return `${name} must be a number of seconds or a duration like "90s" or "10m"`;
  }
};

function checkMoment(moment: string, name: string): string | undefined {
  if (parseMoment(moment) === undefined) {
    return `${name} must be a time like "2026-12-24T18:00", or with a zone "2026-12-24T18:00Z"`;
  }
}

const checkEnv: Check = (env, name) => {
  if (typeof env !== "object" || env === null || Array.isArray(env)) {
    return `${name} must be an object of names and texts, like {"NAME": "value"}`;
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
      return `${name} has a name that is not made of letters, digits and _, or begins with a digit`;
    }
    const problem = checkEnvValue(value, `Each value of ${name[0].toLowerCase()}${name.slice(1)}`);
    if (problem !== undefined) return problem;
  }
};
const checkEnvValue = text();

/** Milliseconds; undefined for what is no duration. */
function readDuration(value: unknown): number | undefined {
  if (typeof value === "string") return parseDuration(value);
  if (typeof value !== "number") return undefined;
  // Less than a millisecond must not become 0, which is no limit.
  return value > 0 ? Math.max(1, Math.round(value * 1000)) : value * 1000;
}

const anything: Check = () => undefined;

/** The most characters of the name of a queue, and of a tag. */
const maxWordLength = 100;

/** A word of letters, digits and - _ . : / that can stand in a list with commas. */
function checkWord(word: string, name: string): string | undefined {
  if (word.length > maxWordLength) return `${name} must be at most ${maxWordLength} characters long`;
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.:/-]*$/u.test(word)) {
    return `${name} must be made of letters, digits and _ . : / -, and begin with a letter, a digit or _`;
  }
}

const oneOf = (choices: readonly string[]): Check => (value, name) =>
  choices.includes(value as string) ? undefined : `${name} must be one of ${choices.join(", ")}`;

/** A list each of whose values is right; the sentence names the value. */
const list = (kind: string, check: Check, most: number): Check => (value, name) => {
  if (!Array.isArray(value)) return `${name} must be a list of ${kind}`;
  if (value.length > most) return `${name} must have at most ${most} ${kind}`;
  for (const item of value) {
    const problem = check(item, `Each of ${name[0].toLowerCase()}${name.slice(1)}`);
    if (problem !== undefined) return problem;
  }
};

const checkStatuses = list("exit statuses", number("whole number", 1, 255), 255);

/** The fields of a job, and what may be in them. A Map: what is in every object is no field. */
const fields: ReadonlyMap<string, Check> = new Map(Object.entries({
  id: text(checkId),
  command: text(checkCommand),
  max_retries: number("whole number", 0, maxRetriesLimit),
  attempts: number("whole number", 0, 1_000_000),
  priority: number("whole number", -1_000_000, 1_000_000),
  timeout: checkDuration,
  base_backoff: number("number of seconds", 0, 1000),
  cwd: text((cwd, name) => cwd === "" ? `${name} must not be empty` : undefined),
  env: checkEnv,
  delay: checkDuration,
  at: text(checkMoment),
  queue: text(checkWord),
  tags: list("tags", text(checkWord), 20),
  unique: text((key, name) =>
    key === "" || key.length > 255 ? `${name} must be 1 to 255 characters long` : undefined
  ),
  on_duplicate: oneOf(duplicatePolicies),
  hold: (value, name) => typeof value === "boolean" ? undefined : `${name} must be true or false`,
  backoff: oneOf(backoffKinds),
  max_backoff: checkDuration,
  jitter: number("number", 0, 1),
  retry_on: checkStatuses,
  no_retry_on: checkStatuses,
  after: list("ids", text(checkId), 100_000),
  after_any: list("ids", text(checkId), 100_000),
  // Exports of other queuectl programs carry these; they are facts about the past there, not wishes here.
  state: anything,
  created_at: anything,
  updated_at: anything,
}));

/** What is wrong with the value of a field, as a sentence that begins with `name`; undefined when nothing is. */
export function fieldProblem(field: keyof JobFields, value: unknown, name: string): string | undefined {
  return fields.get(field)!(value, name);
}

/** The JSON of a job all of whose fields have been checked. */
export interface JobFields {
  id?: string;
  command: string;
  max_retries?: number;
  attempts?: number;
  priority?: number;
  timeout?: number | string;
  base_backoff?: number;
  cwd?: string;
  env?: Record<string, string>;
  delay?: number | string;
  at?: string;
  queue?: string;
  tags?: string[];
  unique?: string;
  on_duplicate?: DuplicatePolicy;
  hold?: boolean;
  backoff?: RetryRules["backoff"];
  max_backoff?: number | string;
  jitter?: number;
  retry_on?: number[];
  no_retry_on?: number[];
  after?: string[];
  after_any?: string[];
}

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
  if (job.retry_on !== undefined) rules.retryOn = job.retry_on;
  if (job.no_retry_on !== undefined) rules.noRetryOn = job.no_retry_on;
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
