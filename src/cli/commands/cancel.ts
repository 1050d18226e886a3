import { QueuectlError } from "../../errors.ts";
import { printable } from "../../printable.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { printAll } from "../standard_streams.ts";

/** Takes jobs that wait out of the queue for good, and has those that run ended by their workers; all or none. */
export async function cancel(
  this: Context,
  _flags: Record<never, never>,
  ...ids: string[]
): Promise<void> {
  if (ids.length === 0) throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs");
  await using store = await openQueue(this, "empty");
  const cancelled = await store.cancel(ids);
  await printAll(
    cancelled.map(({ id, running }) =>
      `Job ${printable(id)} ${running ? "runs and is being ended" : "cancelled"}.\n`
    ),
  );
}
