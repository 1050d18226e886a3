import { QueuectlError } from "../../base/errors.ts";
import { maxRetriesLimit } from "../../job/job_fields.ts";
import { allQueues, type QueueSettings } from "../../store/queues.ts";
import type { Context } from "../context.ts";
import { duration, wholeNumber } from "../arguments/flag_values.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output/output.ts";
import { queueName } from "../arguments/queue_name.ts";
import { parseRate, queueObject, queueSettings } from "../output/queue_output.ts";
import { print, printLines } from "../output/standard_streams.ts";

export interface QueueSetFlags {
  readonly global?: boolean;
  readonly concurrency?: string;
  readonly rate?: string;
  readonly "max-retries"?: string;
  readonly timeout?: string;
  readonly json?: boolean;
}

/** Changes what is set for a queue, or for all together; makes the queue where there is none. */
export async function queueSet(this: Context, flags: QueueSetFlags, name?: string): Promise<void> {
  // Before the database is opened: a mistake must not leave an empty one behind.
  const queue = nameOf(flags, name);
  const changes = changesOf(flags);
  await using store = await openQueue(this, "create");
  await store.setQueue(queue, changes);
  const set = (await store.queues()).find((other) => other.name === queue)!;
  const title = queue === allQueues ? "All queues together" : `Queue ${queue}`;
  await (flags.json ? print(json(queueObject(set)) + "\n") : printLines(`${title}: ${queueSettings(set)}.`));
}

function nameOf(flags: QueueSetFlags, name: string | undefined): string {
  if (!flags.global) {
    if (name !== undefined) return queueName(name);
    throw new QueuectlError("usage", "Argument NAME is missing; give the name of a queue, or --global");
  }
  if (name !== undefined) {
    throw new QueuectlError("usage", "Give the name of a queue or --global, not both");
  }
  for (const flag of ["rate", "max-retries", "timeout"] as const) {
    if (flags[flag] === undefined) continue;
    throw new QueuectlError("usage", `Flag --${flag} is for one queue; --global takes --concurrency alone`);
  }
  return allQueues;
}

function changesOf(flags: QueueSetFlags): Partial<QueueSettings> {
  const changes: Partial<QueueSettings> = {};
  const { concurrency, rate, "max-retries": maxRetries, timeout } = flags;
  if (concurrency !== undefined) {
    const bounds = { minimum: 1, maximum: 1_000_000, default: 1 };
    changes.concurrency = noneOr(concurrency, (text) => wholeNumber("concurrency", text, bounds));
  }
  if (rate !== undefined) Object.assign(changes, noneOr(rate, rateOf) ?? { rate: null, ratePeriod: null });
  if (maxRetries !== undefined) {
    const bounds = { minimum: 0, maximum: maxRetriesLimit, default: 0 };
    changes.maxRetries = noneOr(maxRetries, (text) => wholeNumber("max-retries", text, bounds));
  }
  if (timeout !== undefined) changes.timeout = noneOr(timeout, (text) => duration("timeout", text));
  if (Object.keys(changes).length > 0) return changes;
  throw new QueuectlError(
    "usage",
    `Nothing to set; give ${
      flags.global ? "--concurrency N" : "--concurrency, --rate, --max-retries or --timeout"
    }, or none to take it away`,
  );
}

const noneOr = <T>(text: string, read: (text: string) => T): T | null => text === "none" ? null : read(text);

function rateOf(text: string) {
  const rate = parseRate(text);
  if (rate !== undefined) return rate;
  throw new QueuectlError("usage", `Flag --rate takes a rate like 10/s, 10/m, 100/h or 5/30s, not "${text}"`);
}
