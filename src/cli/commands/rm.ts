/** `rm`, and `clean`, which is `rm` of completed jobs. */

import { QueuectlError } from "../../base/errors.ts";
import { isNamed, type JobFilter, type Selection } from "../../store/job_filter.ts";
import { tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type FilterFlags, filterOf, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { counted } from "../output/output.ts";
import { printMessage } from "../output/standard_streams.ts";

type RmFlags = FilterFlags & { json?: boolean };

/** (any state but processing) → (gone), with all that was printed; all that are named, or none. */
export async function rm(this: Context, flags: RmFlags, ...ids: string[]): Promise<void> {
  await remove(this, selectionOf(ids, flags), flags.json);
}

/** completed → (gone). */
export async function clean(this: Context, flags: Omit<RmFlags, "state">): Promise<void> {
  await remove(this, { ...filterOf(flags), kinds: ["completed"] }, flags.json);
}

async function remove(context: Context, selection: Selection, json: boolean | undefined): Promise<void> {
  const kinds = isNamed(selection) || selection === "all" ? undefined : selection.kinds;
  if (kinds?.every((kind) => kind === "processing")) {
    throw new QueuectlError(
      "usage",
      "Running jobs cannot be removed; cancel them first: queuectl cancel --state processing",
    );
  }
  await using store = await openQueue(context, "empty");
  const removed = await changeKnown(store, selection, () => store.remove(selection));
  const words = { done: "removed", none: "No jobs to remove.", dependants: "cancelled" };
  await tellChanged(selection, removed, words, json);
  const mayRun = !isNamed(selection) && (kinds === undefined || kinds.includes("processing"));
  if (!mayRun) return;
  const running: JobFilter = { ...selection as JobFilter, kinds: ["processing"] };
  const left = (await store.keys({ ...running, limit: Infinity })).length;
  if (left > 0) {
    printMessage(`Skipped ${counted(left, "running job")}; end running jobs with: queuectl cancel`);
  }
}
