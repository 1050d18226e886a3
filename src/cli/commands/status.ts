import { jobStates } from "../../job/job.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output.ts";
import { print } from "../standard_streams.ts";

/** Prints the number of jobs in every state; cancelled ones, which the original does not know, only where there are. */
export async function status(this: Context, flags: { json?: boolean }): Promise<void> {
  await using store = await openQueue(this, "empty");
  const counts = await store.counts();
  if (flags.json) {
    return await print(json(Object.fromEntries(jobStates.map((state) => [state, counts[state]]))) + "\n");
  }
  const shown = jobStates.filter((state) => state !== "cancelled" || counts.cancelled > 0);
  await print(
    ["Queue Status:", ...shown.map((state) => `  ${state.padEnd(10)} : ${counts[state]}`), ""].join("\n"),
  );
}
