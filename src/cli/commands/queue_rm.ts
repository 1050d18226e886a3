import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output/output.ts";
import { print, printLines } from "../output/standard_streams.ts";

/** Removes a queue that has no jobs, and what is set for it. */
export async function queueRm(this: Context, flags: { json?: boolean }, name: string): Promise<void> {
  await using store = await openQueue(this, "empty");
  await store.removeQueue(name);
  await (flags.json ? print(`${json({ name })}\n`) : printLines(`Queue ${name} removed.`));
}
