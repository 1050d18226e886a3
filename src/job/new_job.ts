/** The one way into the queue: whatever describes a new job is checked here and becomes a {@link NewJob}. */

import type { Config } from "../config.ts";
import { maxDuration, parseDuration } from "../duration.ts";
import { QueuectlError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { NewJob } from "./job.ts";
import { newJobId } from "./job_id.ts";

/** The most retries a job can have. */
const maxRetriesLimit = 1000;
/** Bytes of a command: what Linux takes as one argument (MAX_ARG_STRLEN, 128 KiB with the closing NUL). */
const maxCommandBytes = 131_071;

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const controlCharacter = /[\x00-\x1f\x7f-\x9f]/;

/** What is wrong with a value; undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

const text =
  (what: string, check: (text: string) => string | undefined = () => undefined): Check => (value) => {
    if (typeof value !== "string") return `${what} must be text`;
    if (!value.isWellFormed()) return `${what} must not contain half of a Unicode character`;
    if (value.includes("\0")) return `${what} must not contain a NUL character`;
    return check(value);
  };

const number = (field: string, kind: string, minimum: number, maximum: number): Check => (value) => {
  const isRight = typeof value === "number" && value >= minimum && value <= maximum &&
    (kind !== "whole number" || Number.isInteger(value));
  return isRight ? undefined : `Field "${field}" must be a ${kind} from ${minimum} to ${maximum}`;
};

function checkId(id: string): string | undefined {
  if (id.trim() === "" || id.length > 255) return `Field "id" must be 1 to 255 characters long`;
  if (id !== id.trim()) return `Field "id" must not begin or end with a space`;
  if (controlCharacter.test(id)) return `Field "id" contains a control character`;
  if (id.startsWith("-")) return `Field "id" must not begin with "-", it would be read as a flag`;
}

function checkCommand(command: string): string | undefined {
  if (command.trim() === "") return `Field "command" must not be empty`;
  // Only a text of many characters can be too many bytes; counting them is not free.
  if (command.length * 3 > maxCommandBytes && new TextEncoder().encode(command).length > maxCommandBytes) {
    return `Field "command" must be at most ${maxCommandBytes} bytes long; put a longer one into a script file`;
  }
}

function checkTimeout(value: unknown): string | undefined {
  const timeout = readTimeout(value);
  if (timeout === undefined || !(timeout >= 0 && timeout <= maxDuration)) {
    return `Field "timeout" must be a number of seconds or a duration like "90s" or "10m"`;
  }
}

function checkEnv(env: unknown): string | undefined {
  if (typeof env !== "object" || env === null || Array.isArray(env)) {
    return `Field "env" must be an object of names and texts, like {"NAME": "value"}`;
  }
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return `Field "env" has a name that is not made of letters, digits and _, or begins with a digit`;
    }
    const problem = checkEnvValue(value);
    if (problem !== undefined) return problem;
  }
}
const checkEnvValue = text(`Each value of field "env"`);

/** Milliseconds; undefined for what is no duration. */
function readTimeout(value: unknown): number | undefined {
  if (typeof value === "string") return parseDuration(value);
  if (typeof value !== "number") return undefined;
  // Less than a millisecond must not become 0, which is no limit.
  return value > 0 ? Math.max(1, Math.round(value * 1000)) : value * 1000;
}

const anything: Check = () => undefined;

/** The fields of a job, and what may be in them. A Map: what is in every object is no field. */
const fields: ReadonlyMap<string, Check> = new Map(Object.entries({
  id: text('Field "id"', checkId),
  command: text('Field "command"', checkCommand),
  max_retries: number("max_retries", "whole number", 0, maxRetriesLimit),
  attempts: number("attempts", "whole number", 0, 1_000_000),
  priority: number("priority", "whole number", -1_000_000, 1_000_000),
  timeout: checkTimeout,
  base_backoff: number("base_backoff", "number of seconds", 0, 1000),
  cwd: text('Field "cwd"', (cwd) => cwd === "" ? `Field "cwd" must not be empty` : undefined),
  env: checkEnv,
  // Exports of other queuectl programs carry these; they are facts about the past there, not wishes here.
  state: anything,
  created_at: anything,
  updated_at: anything,
}));

/** The JSON of a job all of whose fields have been checked. */
interface JobFields {
  id?: string;
  command: string;
  max_retries?: number;
  attempts?: number;
  priority?: number;
  timeout?: number | string;
  base_backoff?: number;
  cwd?: string;
  env?: Record<string, string>;
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
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new QueuectlError("usage", `Invalid JSON: ${(error as Error).message}`, { cause: error });
  }
  return checkNewJob(value, resolveFolder);
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
    const problem = check((value as Record<string, unknown>)[name]);
    if (problem !== undefined) throw new QueuectlError("usage", problem);
  }
  if (!Object.hasOwn(value, "command")) throw new QueuectlError("usage", `Field "command" is missing`);
  const job = value as JobFields;
  return {
    id: job.id ?? newJobId(),
    command: job.command,
    attempts: job.attempts ?? 0,
    maxRetries: job.max_retries ?? null,
    priority: job.priority ?? 0,
    timeout: readTimeout(job.timeout) ?? null,
    baseBackoff: job.base_backoff ?? null,
    cwd: job.cwd === undefined ? null : resolveFolder(job.cwd),
    env: job.env ?? null,
  };
}

/** The job as it is stored: what it leaves open is taken from the settings in force when it is enqueued. */
export function withDefaults(job: CheckedJob, config: Pick<Config, "maxRetries">): NewJob {
  return { ...job, maxRetries: job.maxRetries ?? config.maxRetries };
}
