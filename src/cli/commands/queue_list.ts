import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { jsonArray } from "../output/output.ts";
import { queueObject, queueTable } from "../output/queue_output.ts";
import { printAll } from "../output/standard_streams.ts";
import { printTable } from "../output/terminal_width.ts";

/** Prints the queues, what is set for them, and how many jobs they have. */
export async function queueList(this: Context, flags: { json?: boolean }): Promise<void> {
  await using store = await openQueue(this, "empty");
  const queues = await store.queues();
  if (flags.json) await printAll(jsonArray(queues.map(queueObject)));
  else await printTable(queueTable(queues));
}
