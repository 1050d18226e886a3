import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { jsonArray } from "../output/output.ts";
import { processObject, processTable } from "../output/process_output.ts";
import { print, printAll } from "../output/standard_streams.ts";
import { printTable } from "../output/terminal_width.ts";

/** Prints the managers, each with its workers, and what they run. */
export async function workerList(this: Context, flags: { json?: boolean }): Promise<void> {
  await using store = await openQueue(this, "empty");
  const processes = await store.processes();
  if (flags.json) await printAll(jsonArray(processes.map((process) => processObject(process, processes))));
  else if (processes.length === 0) await print("No workers running.\n");
  else await printTable(processTable(processes));
}
