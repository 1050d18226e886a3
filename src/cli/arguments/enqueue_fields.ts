/** The fields of jobs that flags of `enqueue` give, and how they go together with those of JSON. Pure. */

import { parseNumber } from "../../base/duration.ts";
import { QueuectlError } from "../../base/errors.ts";
import { refuseChanged } from "./enqueue_form.ts";
import { words } from "./flag_values.ts";
import { highestStatus, lowestStatus, signedStatus } from "../../job/exit_status.ts";
import { fieldProblem, type JobFields, maxStatuses } from "../../job/job_fields.ts";

/** The flags that are fields of the job. */
export interface FieldFlags {
  id?: string;
  priority?: string;
  timeout?: string;
  "max-retries"?: string;
  "base-backoff"?: string;
  cwd?: string;
  env?: readonly string[];
  delay?: string;
  at?: string;
  queue?: string;
  tag?: readonly string[];
  unique?: string;
  "on-duplicate"?: string;
  hold?: boolean;
  backoff?: string;
  "max-backoff"?: string;
  jitter?: string;
  "retry-on"?: string;
  "no-retry-on"?: string;
  after?: readonly string[];
  "after-any"?: readonly string[];
}

/** The names of {@link FieldFlags} are those of the fields, with dashes; that of one tag says one. */
const flagOf = (field: string) => field === "tags" ? "tag" : field.replaceAll("_", "-");

/** The checked fields that the flags give. Throws `usage`, naming the flag. */
export function fieldsOfFlags(flags: FieldFlags): Partial<JobFields> {
  const given: Partial<JobFields> = {
    id: flags.id,
    priority: numberOf(flags.priority),
    timeout: flags.timeout,
    max_retries: numberOf(flags["max-retries"]),
    base_backoff: numberOf(flags["base-backoff"]),
    cwd: flags.cwd,
    env: flags.env && variables(flags.env),
    delay: flags.delay,
    at: flags.at,
    queue: flags.queue,
    tags: flags.tag && words(flags.tag),
    unique: flags.unique,
    on_duplicate: flags["on-duplicate"] as JobFields["on_duplicate"],
    hold: flags.hold,
    backoff: flags.backoff as JobFields["backoff"],
    max_backoff: flags["max-backoff"],
    jitter: numberOf(flags.jitter),
    retry_on: flags["retry-on"] === undefined ? undefined : statuses(flags["retry-on"]),
    no_retry_on: flags["no-retry-on"] === undefined ? undefined : statuses(flags["no-retry-on"]),
    after: flags.after && words(flags.after),
    after_any: flags["after-any"] && words(flags["after-any"]),
  };
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const [field, value] of Object.entries(fields)) {
    const problem = fieldProblem(field as keyof JobFields, value, `Flag --${flagOf(field)}`);
    if (problem !== undefined) throw new QueuectlError("usage", problem);
    refuseChanged(`Flag --${flagOf(field)}`, typeof value === "object" ? JSON.stringify(value) : value);
  }
  if (fields.delay !== undefined && fields.at !== undefined) {
    throw new QueuectlError("usage", "Only one of the flags --delay and --at can be given");
  }
  return fields;
}

/** The number that the JSON of a job would have; what is none stays text, which is not what the field takes. */
export function numberIn(text: string): number | string {
  const number = parseNumber(text);
  return Number.isNaN(number) ? text : number;
}

/** The same of a flag. The check of a job tells of a text that is none. */
const numberOf = (flag: string | undefined) => (flag && numberIn(flag)) as number;

/** Exit statuses like "1,2,70-75", "-5--1", "0xC000013A", in their signed form. */
export function statuses(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const match = /^\s*(-?\d{1,10}|0x[\da-f]{1,8})(?:-(-?\d{1,10}|0x[\da-f]{1,8}))?\s*$/i.exec(part);
    const [first, last] = [match?.[1], match?.[2] ?? match?.[1]].map((text) => statusOf(Number(text)));
    // What is no status stays what the field does not take.
    if (!(first <= last)) return [NaN];
    // One more than the field takes is enough to be refused.
    const count = Math.min(last - first, maxStatuses) + 1;
    return Array.from({ length: count }, (_, index) => first + index);
  });
}

const statusOf = (number: number) =>
  number >= lowestStatus && number <= highestStatus ? signedStatus(number) : NaN;

function variables(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(assignments.map((assignment) => {
    const end = assignment.indexOf("=");
    if (end > 0) return [assignment.slice(0, end), assignment.slice(end + 1)];
    throw new QueuectlError("usage", `Flag --env takes NAME=VALUE, not "${assignment}"`);
  }));
}

/** What JSON describes, with these fields where it does not have them; variables go together one by one. */
export function withFields(value: unknown, fields: Partial<JobFields>): unknown {
  if (!isObject(value)) return value;
  const { delay, at, env, ...rest } = fields;
  const start = Object.hasOwn(value, "delay") || Object.hasOwn(value, "at") ? {} : { delay, at };
  const all: Record<string, unknown> = { ...rest, ...start, env, ...value };
  if (env !== undefined && isObject(value.env)) all.env = { ...env, ...value.env };
  for (const field of ["delay", "at", "env"]) if (all[field] === undefined) delete all[field];
  return all;
}

/** Throws `usage` where the JSON has a field that a flag is given for too: one of them would be ignored. */
export function refuseTwice(value: unknown, fields: Partial<JobFields>): void {
  if (!isObject(value)) return;
  for (const given of Object.keys(fields)) {
    const rivals = given === "delay" || given === "at" ? ["delay", "at"] : [given];
    const field = rivals.find((rival) => Object.hasOwn(value, rival));
    if (field === undefined) continue;
    throw new QueuectlError(
      "usage",
      `Field "${field}" is in the JSON, so --${flagOf(given)} cannot be given too`,
    );
  }
}

/** Throws `usage` where the flag --on-duplicate is given for a job that has no unique key. */
export function refuseNotUnique(value: unknown, fields: Partial<JobFields>): void {
  if (!isObject(value) || fields.on_duplicate === undefined || value.unique !== undefined) return;
  throw new QueuectlError(
    "usage",
    "Flag --on-duplicate says what to do with the other job of a key; give that with --unique KEY",
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
