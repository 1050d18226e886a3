import { QueuectlError } from "../../base/errors.ts";
import { tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type ChangeFlags, changesOf, isAssignment, startOf } from "../arguments/job_changes.ts";
import { openQueue } from "../open_queue.ts";

/** Changes fields of jobs that do not run, and when those run that wait; all that are named, or none. */
export async function edit(
  this: Context,
  flags: ChangeFlags & { json?: boolean },
  ...ids: string[]
): Promise<void> {
  if (ids.length === 0) throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs");
  const { start, rest } = await startOf(flags);
  const changes = await changesOf(rest);
  const forgotten = ids.find(isAssignment);
  if (forgotten !== undefined) {
    throw new QueuectlError("usage", `"${forgotten}" is no id (did you mean --set ${forgotten}?)`);
  }
  if (changes === undefined && start === undefined) {
    throw new QueuectlError("usage", "Nothing to change; give --set KEY=VALUE, like --set priority=5");
  }
  await using store = await openQueue(this, "empty");
  const selection = [...new Set(ids)];
  const edited = await store.edit(selection, changes ?? {}, start);
  await tellChanged(selection, edited, { done: "changed", none: "" }, flags.json);
}
