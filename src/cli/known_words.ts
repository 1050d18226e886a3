/** Queues and tags that a filter names, and that nobody has: most often they are mistyped. */

import { nearest } from "../nearest.ts";
import { noQueue } from "../store/refusals.ts";
import { isNamed, type Selection } from "../store/selection.ts";
import type { Store } from "../store/store.ts";
import { printMessage } from "./standard_streams.ts";

/** Throws `not_found` for a queue that is not there. */
export async function requireQueues(store: Store, queues: readonly string[] | undefined): Promise<void> {
  if (queues === undefined) return;
  const names = await store.queueNames();
  const unknown = queues.find((queue) => !names.includes(queue));
  if (unknown === undefined) return;
  throw noQueue(unknown, names);
}

/** Changes the jobs of a selection; throws `not_found` before that, and tells of tags after it where there were none. */
export async function changeKnown<T>(
  store: Store,
  jobs: Selection,
  change: () => Promise<T[]>,
): Promise<T[]> {
  if (jobs !== "all" && !isNamed(jobs)) await requireQueues(store, jobs.queues);
  const changed = await change();
  if (changed.length === 0) await hintAtTags(store, jobs);
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
