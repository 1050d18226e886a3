/** The fields of a job as JSON has them, and what may be in each. */

import { backoffKinds } from "./settings.ts";
import { parseDuration, wholeMilliseconds } from "../base/duration.ts";
import { unseenCharacter } from "../base/printable.ts";
import { parseMoment } from "../base/moment.ts";
import { highestStatus, lowestStatus } from "./exit_status.ts";
import { duplicatePolicies, type DuplicatePolicy, type RetryRules } from "./job.ts";

/** The most retries a job can have. */
export const maxRetriesLimit = 1000;
/** Bytes of a command: what Linux takes as one argument (MAX_ARG_STRLEN, 128 KiB with the closing NUL). */
const maxCommandBytes = 131_071;

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

/** Names that look the same have to be the same: also the joiners of emoji are refused. */
function unseenProblem(text: string, name: string): string | undefined {
  const character = unseenCharacter(text);
  if (character !== undefined) return `${name} contains a character that cannot be seen (${character})`;
}

function checkId(id: string, name: string): string | undefined {
  if (id.trim() === "" || id.length > 255) return `${name} must be 1 to 255 characters long`;
  if (id !== id.trim()) return `${name} must not begin or end with a space`;
  const unseen = unseenProblem(id, name);
  if (unseen !== undefined) return unseen;
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
  if (readDuration(value) === undefined) {
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
export function readDuration(value: unknown): number | undefined {
  if (typeof value === "string") return parseDuration(value);
  return typeof value === "number" ? wholeMilliseconds(value * 1000) : undefined;
}

const anything: Check = () => undefined;

/** The most characters of the name of a queue, and of a tag. */
const maxWordLength = 100;

/** A word of letters, digits and - _ . : / that can stand in a list with commas. */
function checkWord(word: string, name: string): string | undefined {
  if (word.length > maxWordLength) return `${name} must be at most ${maxWordLength} characters long`;
  const unseen = unseenProblem(word, name);
  if (unseen !== undefined) return unseen;
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

/** The most exit statuses of a list. */
export const maxStatuses = 1000;

const checkStatus: Check = (value, name) => {
  const isRight = Number.isInteger(value) && value !== 0 && value as number >= lowestStatus &&
    value as number <= highestStatus;
  if (!isRight) return `${name} must be a whole number from ${lowestStatus} to ${highestStatus}, and not 0`;
};

const checkStatuses = list("exit statuses", checkStatus, maxStatuses);

/** The fields of a job, and what may be in them. A Map: what is in every object is no field. */
export const fields: ReadonlyMap<string, Check> = new Map(Object.entries({
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
    key === "" || key.length > 255 ? `${name} must be 1 to 255 characters long` : unseenProblem(key, name)
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
