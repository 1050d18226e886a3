import { isNamed } from "../../store/job_filter.ts";
import { sideEffects, tellNamed, tellReached } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type FilterFlags, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { counted, json } from "../output/output.ts";
import { print, printLines } from "../output/standard_streams.ts";

/** Takes jobs that wait out of the queue for good, and has those that run ended by their workers; all or none. */
export async function cancel(
  this: Context,
  flags: FilterFlags & { json?: boolean },
  ...ids: string[]
): Promise<void> {
  const selection = selectionOf(ids, flags);
  await using store = await openQueue(this, "empty");
  const { ids: cancelled, running, effects } = await changeKnown(
    store,
    selection,
    () => store.cancel(selection),
  );
  const isReached = await tellReached(store, running.length);
  if (flags.json) {
    const object = {
      count: cancelled.length,
      ids: cancelled,
      running,
      dependants: effects.dependants,
    };
    return await print(json(object) + "\n");
  }
  const words = { done: "cancelled", none: "No jobs to cancel.", dependants: "cancelled" };
  const others = sideEffects(words, effects);
  if (isNamed(selection)) {
    const ending = (id: string) => isReached ? `Cancelling job ${id}` : `Job ${id} will be cancelled`;
    const lines = cancelled.map((id) => running.includes(id) ? ending(id) : `Job ${id} cancelled`);
    return await tellNamed(lines, others);
  }
  const ended = isReached ? "being cancelled" : "to be cancelled";
  const waiting = cancelled.length - running.length;
  const parts = [
    ...(waiting > 0 ? [`${counted(waiting, "job")} cancelled`] : []),
    ...(running.length > 0 ? [`${counted(running.length, "running job")} ${ended}`] : []),
  ];
  await printLines(parts.length > 0 ? `${[parts.join(", "), ...others].join("; ")}.` : words.none);
}
