/** Queues and tags that a filter names, and that nobody has: most often they are mistyped. */

import { QueuectlError } from "../../base/errors.ts";
import { didYouMean, nearest } from "../../base/nearest.ts";
import { noQueue } from "../../store/errors.ts";
import { allQueues } from "../../store/queues.ts";
import { isNamed, type Selection } from "../../store/job_filter.ts";
import type { Store } from "../../store/store.ts";
import { printMessage } from "../output/standard_streams.ts";

/** Throws `not_found` for a queue that is not there. */
export async function requireQueues(store: Store, queues: readonly string[] | undefined): Promise<void> {
  if (queues === undefined) return;
  const names = await store.queueNames();
  const unknown = queues.find((queue) => !names.includes(queue));
  if (unknown === undefined) return;
  throw noQueue(unknown, names);
}

/** Says on standard error for which queues nobody has put a job in yet: somebody waits for the first one. */
export async function tellOfNewQueues(store: Store, queues: readonly string[] | undefined): Promise<void> {
  if (queues === undefined) return;
  const names = (await store.queueNames()).filter((name) => name !== allQueues);
  for (const queue of queues.filter((queue) => !names.includes(queue))) {
    printMessage(`There is no queue "${queue}" yet${didYouMean(queue, names)}: waiting for its first job`);
  }
}

/** Throws `not_found` for a tag that no job has. */
export async function requireTags(store: Store, tags: readonly string[] = []): Promise<void> {
  for (const tag of tags) {
    if ((await store.keys({ tags: [tag], limit: 1 })).length > 0) continue;
    throw new QueuectlError(
      "not_found",
      `No job has the tag "${tag}"${didYouMean(tag, await store.tagNames(mostTags))}`,
    );
  }
}

/** Changes the jobs of a selection; throws `not_found` before that, and tells of tags after it where there were none. */
export async function changeKnown<T extends { ids: readonly string[] }>(
  store: Store,
  jobs: Selection,
  change: () => Promise<T>,
): Promise<T> {
  if (jobs !== "all" && !isNamed(jobs)) await requireQueues(store, jobs.queues);
  const changed = await change();
  if (changed.ids.length === 0) await hintAtTags(store, jobs);
  return changed;
}

/** Tags that are looked through for one that was meant. */
const mostTags = 1000;

/** Where nothing was found by the tags of a selection: says on standard error which no job has, if there is one like it. */
export async function hintAtTags(store: Store, jobs: Selection): Promise<void> {
  if (jobs === "all" || isNamed(jobs) || jobs.tags === undefined) return;
  const names = await store.tagNames(mostTags);
  for (const tag of jobs.tags) {
    const near = names.includes(tag) ? undefined : nearest(tag, names);
    if (near !== undefined) printMessage(`No job has the tag "${tag}" (did you mean "${near}"?)`);
  }
}
