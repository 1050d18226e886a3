/** The one way into the queue: whatever describes a new job is checked here and becomes a {@link NewJob}. */

import * as v from "valibot";
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

const text = (what: string) =>
  v.pipe(
    v.string(`${what} must be text`),
    v.check((value) => value.isWellFormed(), `${what} must not contain half of a Unicode character`),
    v.check((value) => !value.includes("\0"), `${what} must not contain a NUL character`),
  );

const wholeNumber = (field: string, minimum: number, maximum: number) => {
  const message = `Field "${field}" must be a whole number from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(minimum, message),
    v.maxValue(maximum, message),
  );
};

const backoffMessage = `Field "base_backoff" must be a number of seconds from 0 to 1000`;
const timeoutMessage = `Field "timeout" must be a number of seconds or a duration like "90s" or "10m"`;
const envMessage = `Field "env" must be an object of names and texts, like {"NAME": "value"}`;
const envNameMessage =
  `Field "env" has a name that is not made of letters, digits and _, or begins with a digit`;

// Less than a millisecond must not become 0, which is no limit.
const milliseconds = (seconds: number) =>
  seconds > 0 ? Math.max(1, Math.round(seconds * 1000)) : seconds * 1000;

const fields = {
  id: v.optional(v.pipe(
    text('Field "id"'),
    v.check((id) => id.trim() !== "" && id.length <= 255, `Field "id" must be 1 to 255 characters long`),
    v.check((id) => id === id.trim(), `Field "id" must not begin or end with a space`),
    v.check((id) => !controlCharacter.test(id), `Field "id" contains a control character`),
    v.check((id) => !id.startsWith("-"), `Field "id" must not begin with "-", it would be read as a flag`),
  )),
  command: v.pipe(
    text('Field "command"'),
    v.check((command) => command.trim() !== "", `Field "command" must not be empty`),
    v.check(
      // Only a text of many characters can be too many bytes; counting them is not free.
      (command) =>
        command.length * 3 <= maxCommandBytes || new TextEncoder().encode(command).length <= maxCommandBytes,
      `Field "command" must be at most ${maxCommandBytes} bytes long; put a longer one into a script file`,
    ),
  ),
  max_retries: v.optional(wholeNumber("max_retries", 0, maxRetriesLimit)),
  attempts: v.optional(wholeNumber("attempts", 0, 1_000_000)),
  priority: v.optional(wholeNumber("priority", -1_000_000, 1_000_000)),
  timeout: v.optional(v.pipe(
    v.union([v.number(), v.string()], timeoutMessage),
    v.transform((value) => typeof value === "string" ? parseDuration(value) : milliseconds(value)),
    v.number(timeoutMessage),
    v.check((value) => value >= 0 && value <= maxDuration, timeoutMessage),
  )),
  base_backoff: v.optional(v.pipe(
    v.number(backoffMessage),
    v.minValue(0, backoffMessage),
    v.maxValue(1000, backoffMessage),
  )),
  cwd: v.optional(v.pipe(
    text('Field "cwd"'),
    v.check((cwd) => cwd !== "", `Field "cwd" must not be empty`),
  )),
  env: v.optional(v.pipe(
    v.custom<object>((value) => !Array.isArray(value), envMessage),
    v.record(
      v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, envNameMessage)),
      text(`Each value of field "env"`),
      envMessage,
    ),
  )),
  // Exports of other queuectl programs carry these; they are facts about the past there, not wishes here.
  state: v.optional(v.unknown()),
  created_at: v.optional(v.unknown()),
  updated_at: v.optional(v.unknown()),
};

const fieldNames = Object.keys(fields);
const schema = v.object(fields, 'A job must be a JSON object, like {"command": "echo hello"}');

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
    if (!Object.hasOwn(fields, name)) {
      throw new QueuectlError("usage", `Unknown field "${name}"${didYouMean(name, fieldNames)}`);
    }
  }
  if (!("command" in value)) throw new QueuectlError("usage", `Field "command" is missing`);
  const result = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true });
  if (!result.success) throw new QueuectlError("usage", result.issues[0].message);
  const job = result.output;
  return {
    id: job.id ?? newJobId(),
    command: job.command,
    attempts: job.attempts ?? 0,
    maxRetries: job.max_retries ?? null,
    priority: job.priority ?? 0,
    timeout: job.timeout ?? null,
    baseBackoff: job.base_backoff ?? null,
    cwd: job.cwd === undefined ? null : resolveFolder(job.cwd),
    env: job.env ?? null,
  };
}

/** The job as it is stored: what it leaves open is taken from the settings in force when it is enqueued. */
export function withDefaults(job: CheckedJob, config: Pick<Config, "maxRetries">): NewJob {
  return { ...job, maxRetries: job.maxRetries ?? config.maxRetries };
}
