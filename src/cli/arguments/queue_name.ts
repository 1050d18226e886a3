/** Names of queues as they are given to flags and arguments. Each throws `usage`. */

import { QueuectlError } from "../../base/errors.ts";
import { fieldProblem } from "../../job/job_fields.ts";
import { words } from "./flag_values.ts";

/** A name that is right. */
export function queueName(name: string, what = "Name of a queue"): string {
  const problem = fieldProblem("queue", name, what);
  if (problem !== undefined) throw new QueuectlError("usage", `${problem}, not "${name}"`);
  return name;
}

/** The names of a flag that may be given several times, or with several names; null where it is not given. */
export function queueNames(flag: string, given: readonly string[] | undefined): string[] | null {
  if (given === undefined) return null;
  return [...new Set(words(given).map((name) => queueName(name, `Flag --${flag}`)))];
}
