import { QueuectlError } from "../../base/errors.ts";
import { tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type FilterFlags, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { queueName } from "../arguments/queue_name.ts";

export type MoveFlags = Omit<FilterFlags, "queue"> & { readonly queue?: string; readonly json?: boolean };

/** Jobs that do not run → another queue; all that are named, or none. */
export async function move(this: Context, flags: MoveFlags, ...ids: string[]): Promise<void> {
  // Here it is where they go to, and no filter.
  const { queue, ...filters } = flags;
  if (queue === undefined) throw new QueuectlError("usage", "Flag --queue is missing: where the jobs go to");
  const name = queueName(queue, "Flag --queue");
  const selection = selectionOf(ids, filters);
  await using store = await openQueue(this, "empty");
  const moved = await changeKnown(store, selection, () => store.moveJobs(selection, name));
  await tellChanged(
    selection,
    moved,
    { done: `moved to queue ${name}`, none: "No jobs to move." },
    flags.json,
  );
}
