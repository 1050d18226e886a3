import { tellChanged } from "../acting.ts";
import type { Context } from "../context.ts";
import { type ChangeFlags, changesOf } from "../job_changes.ts";
import { type FilterFlags, selectionOf } from "../job_filter.ts";
import { hintAtTags, requireQueuesOf } from "../known_words.ts";
import { openQueue } from "../open_queue.ts";

/** completed, failed, dead or cancelled → pending, with no attempts; all that are named, or none. */
export async function retry(
  this: Context,
  flags: FilterFlags & ChangeFlags & { json?: boolean },
  ...ids: string[]
): Promise<void> {
  const selection = selectionOf(ids, flags);
  const changes = await changesOf(flags);
  await using store = await openQueue(this, "empty");
  await requireQueuesOf(store, selection);
  const retried = await store.retry(selection, changes);
  if (retried.length === 0) await hintAtTags(store, selection);
  const words = { done: "moved back to pending queue", none: "No jobs to retry." };
  await tellChanged(selection, retried, words, flags.json);
}
