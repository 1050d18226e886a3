import { QueuectlError } from "../../base/errors.ts";
import { tellChanged, tellReached } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type FilterFlags, filterOf, selectionOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { requireSignal, signalName } from "../arguments/signal_name.ts";

/** Sends a signal to the commands of jobs that run; of all that are named, or none. */
export async function signal(
  this: Context,
  flags: FilterFlags & { json?: boolean },
  ...words: string[]
): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new QueuectlError("usage", "Windows has no signals; end running jobs with: queuectl cancel ID");
  }
  const last = words.at(-1);
  const isMissing = last === undefined ||
    words.length === 1 && filterOf(flags) === undefined && signalName(last) === undefined;
  if (isMissing) {
    throw new QueuectlError("usage", "Argument SIGNAL is missing; it comes last, like TERM or 15");
  }
  const name = requireSignal(last);
  const selection = selectionOf(words.slice(0, -1), flags);
  await using store = await openQueue(this, "empty");
  const signalled = await changeKnown(store, selection, () => store.signal(selection, name));
  const isDone = await tellReached(store, signalled.ids.length);
  await tellChanged(selection, signalled, {
    done: `${isDone ? "" : "will be "}signalled with ${name}`,
    none: "No jobs to signal.",
  }, flags.json);
}
