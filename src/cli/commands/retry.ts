import { cameBack, tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type ChangeFlags, changesOf } from "../arguments/job_changes.ts";
import { type FilterFlags, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
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
  const retried = await changeKnown(store, selection, () => store.retry(selection, changes));
  const words = { done: "moved back to pending queue", none: "No jobs to retry.", dependants: cameBack };
  await tellChanged(selection, retried, words, flags.json);
}
