/** `dlq list`, `dlq retry` and `dlq purge`: the jobs that have used up their attempts. */

import { QueuectlError } from "../../errors.ts";
import type { Selection, Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { limit } from "../flag_values.ts";
import { openQueue } from "../open_queue.ts";
import { counted, deadJobTable, jsonArray } from "../output.ts";
import { printable } from "../../printable.ts";
import { print, printAll } from "../standard_streams.ts";
import { jobObjects, newestJobs } from "./list.ts";

/** Prints the newest dead jobs, oldest of them first. */
export async function dlqList(this: Context, flags: { limit?: string; json?: boolean }): Promise<void> {
  const filter = { state: "dead", limit: limit(flags.limit) } as const;
  await using store = await openQueue(this, "empty");
  const jobs = await newestJobs(store, filter);
  if (flags.json) await printAll(jsonArray(jobObjects(store, jobs)));
  else if (jobs.length === 0) await print("No jobs in DLQ.\n");
  else await printAll(deadJobTable(jobs));
}

/** dead → pending, with no attempts: the named jobs, or all. */
export async function dlqRetry(this: Context, flags: { all?: boolean }, ...ids: string[]): Promise<void> {
  await change(
    this,
    flags.all ?? false,
    ids,
    "moved back to pending queue",
    (store, jobs) => store.dlqRetry(jobs),
  );
}

/** dead → (gone): the named jobs, or all. */
export async function dlqPurge(this: Context, flags: { all?: boolean }, ...ids: string[]): Promise<void> {
  await change(this, flags.all ?? false, ids, "purged", (store, jobs) => store.dlqPurge(jobs));
}

/** Named jobs are told a line each; `--all` tells only how many there were. */
async function change(
  context: Context,
  all: boolean,
  ids: readonly string[],
  done: string,
  action: (store: Store, jobs: Selection) => Promise<string[]>,
): Promise<void> {
  if (all && ids.length > 0) throw new QueuectlError("usage", "Give the ids of jobs or --all, not both");
  if (!all && ids.length === 0) {
    throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs, or --all");
  }
  await using store = await openQueue(context, "empty");
  const changed = await action(store, all ? "all" : [...new Set(ids)]);
  if (!all) return await printAll(changed.map((id) => `Job ${printable(id)} ${done}.\n`));
  await print(changed.length === 0 ? "No jobs in DLQ.\n" : `${counted(changed.length, "job")} ${done}.\n`);
}
