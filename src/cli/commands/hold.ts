import { tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type FilterFlags, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";

type HoldFlags = FilterFlags & { json?: boolean };

/** Keeps jobs that wait from being run; all that are named, or none. */
export async function hold(this: Context, flags: HoldFlags, ...ids: string[]): Promise<void> {
  const selection = selectionOf(ids, flags);
  await using store = await openQueue(this, "empty");
  const changed = await changeKnown(store, selection, () => store.hold(selection));
  await tellChanged(selection, changed, { done: "held", none: "No jobs to hold." }, flags.json);
}

/** Lets jobs go that are held; all that are named, or none. */
export async function release(this: Context, flags: HoldFlags, ...ids: string[]): Promise<void> {
  const selection = selectionOf(ids, flags);
  await using store = await openQueue(this, "empty");
  const changed = await changeKnown(store, selection, () => store.release(selection));
  await tellChanged(
    selection,
    changed,
    { done: "released", none: "No jobs to release." },
    flags.json,
  );
}
