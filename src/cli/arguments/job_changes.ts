/** `--set KEY=VALUE` and `--unset KEY`: what of a job is to change. */

import { pathResolver } from "../../base/absolute_path.ts";
import { QueuectlError } from "../../base/errors.ts";
import { checkNewJob, refuseContradiction } from "../../job/new_job.ts";
import { words } from "./flag_values.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { JobChanges, Start } from "../../job/job.ts";
import { numberIn, statuses } from "./enqueue_fields.ts";

/** What is given to the flags. */
export interface ChangeFlags {
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
}

const fields = {
  command: "command",
  priority: "priority",
  max_retries: "maxRetries",
  timeout: "timeout",
  base_backoff: "baseBackoff",
  cwd: "cwd",
  tags: "tags",
} as const;
type Field = keyof typeof fields;

/** Those that are one rule of many, which are set one by one. */
const rules = {
  backoff: "backoff",
  max_backoff: "maxBackoff",
  jitter: "jitter",
  retry_on: "retryOn",
  no_retry_on: "noRetryOn",
} as const;
type Rule = keyof typeof rules;

const isField = (key: string): key is Field => Object.hasOwn(fields, key);
const isRule = (key: string): key is Rule => Object.hasOwn(rules, key);

/** Fields that a job need not have: a setting or the worker decides, or there are none. */
const optional: readonly string[] = ["timeout", "base_backoff", "cwd", "tags", ...Object.keys(rules)];

/** What of the time that a job waits for is to change; only for those that wait. */
const starts = ["delay", "at"];

/**
 * Takes `delay` and `at` out of the flags, for jobs that wait: when they are to run, undefined where nothing is said of
 * it. Throws `usage`.
 */
export async function startOf(
  { set = [], unset = [] }: ChangeFlags,
): Promise<{ start?: Start; rest: ChangeFlags }> {
  const keyOfStart = (text: string) => starts.find((key) => key === text.split("=")[0].trim());
  const given = set.filter(keyOfStart);
  const taken = unset.filter(keyOfStart);
  const rest = {
    set: set.filter((text) => !given.includes(text)),
    unset: unset.filter((text) => !taken.includes(text)),
  };
  if (given.length + taken.length === 0) return { rest };
  if (given.length + taken.length > 1) {
    throw new QueuectlError("usage", 'Only one of "delay" and "at" can be set or unset, once');
  }
  if (given.length === 0) return { start: null, rest };
  const [key, value] = split(given[0], starts);
  const { delay, at } = checkNewJob({ command: "true", [key]: value }, await pathResolver());
  return { start: at === undefined ? { delay: delay! } : { at }, rest };
}

/** Whether a text is an assignment to a field that can be changed, for which `--set` was forgotten. */
export const isAssignment = (text: string): boolean =>
  /^env\.\w+=/.test(text) ||
  [...Object.keys(fields), ...Object.keys(rules), ...starts].some((key) =>
    text.replaceAll("-", "_").startsWith(`${key}=`)
  );

/** Reads the flags; undefined where none is given. Values are checked as those of a new job. Throws `usage`. */
export async function changesOf({ set = [], unset = [] }: ChangeFlags): Promise<JobChanges | undefined> {
  if (set.length + unset.length === 0) return undefined;
  const resolve = await pathResolver();
  const changes: Record<string, unknown> = {};
  const env: Array<[string, string | null]> = [];
  const retryRules: Record<string, unknown> = {};
  const seen = new Set<string>();
  const once = (key: string) => {
    if (seen.has(key)) throw new QueuectlError("usage", `"${key}" is given twice`);
    seen.add(key);
  };
  for (const text of set) {
    const [key, value] = split(text);
    once(key);
    const name = variable(key);
    // Checked as that of a new job, which says what is wrong with it.
    const given = name === undefined ? { [key]: valueOf(key, value) } : { env: { [name]: value } };
    const job = checkNewJob({ command: "true", ...given }, resolve);
    if (name !== undefined) env.push([name, value]);
    else if (isRule(key)) retryRules[rules[key]] = job.retryRules![rules[key]];
    else if (isField(key)) changes[fields[key]] = job[fields[key]];
  }
  for (const text of unset) {
    const key = keyOf(text);
    once(key);
    const name = variable(key);
    if (name !== undefined) env.push([name, null]);
    else if (!optional.includes(key)) {
      const can = `only ${optional.join(", ")} and env.NAME`;
      throw new QueuectlError("usage", `"${key}" cannot be unset, ${can}`);
    } else if (isRule(key)) retryRules[rules[key]] = null;
    else if (isField(key)) changes[fields[key]] = key === "tags" ? [] : null;
  }
  if (env.length > 0) changes.env = Object.fromEntries(env);
  if (Object.keys(retryRules).length > 0) {
    refuseContradiction(retryRules);
    changes.retryRules = retryRules;
  }
  return changes;
}

function split(text: string, others: readonly string[] = []): [key: string, value: string] {
  const end = text.indexOf("=");
  const key = text.slice(0, end).trim();
  if (end > 0) return [others.includes(key) ? key : keyOf(key), text.slice(end + 1)];
  throw new QueuectlError("usage", `Flag --set takes KEY=VALUE, like priority=5, not "${text}"`);
}

/** The name of the variable that `env.NAME` stands for. */
const variable = (key: string) => key.startsWith("env.") ? key.slice(4) : undefined;

function keyOf(text: string): string {
  if (text.startsWith("env.")) return text;
  const key = text.trim().replaceAll("-", "_");
  const names = [...Object.keys(fields), ...Object.keys(rules)];
  if (names.includes(key)) return key;
  if (starts.includes(key)) {
    throw new QueuectlError("usage", `Only "queuectl edit" can set "${key}", of waiting jobs`);
  }
  if (key === "queue") {
    throw new QueuectlError("usage", "Jobs get into another queue by: queuectl move ID... --queue QUEUE");
  }
  throw new QueuectlError(
    "usage",
    `A job has no "${text}" that can be changed${didYouMean(key, names)}; there are: ${
      names.join(", ")
    }, env.NAME`,
  );
}

/** Numbers are numbers, where the field is one, and lists are lists; a duration stays text. */
function valueOf(key: string, text: string): string | number | number[] | string[] {
  if (key === "tags") return words([text]);
  if (key === "retry_on" || key === "no_retry_on") return statuses(text);
  const isNumber = ["priority", "max_retries", "base_backoff", "jitter"].includes(key);
  return isNumber ? numberIn(text) : text;
}
