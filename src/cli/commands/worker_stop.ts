import { configFrom } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import { duration } from "../arguments/flag_values.ts";
import { openQueue } from "../open_queue.ts";
import { counted, json } from "../output/output.ts";
import { hostsNamed } from "../output/process_output.ts";
import { print, printLines } from "../output/standard_streams.ts";
import { leaveStartFolder, startFolder } from "../../worker/host/start_folder.ts";

/** What `worker stop` takes. */
export interface WorkerStopFlags {
  readonly now?: boolean;
  readonly grace?: string;
  readonly host?: string;
  readonly json?: boolean;
}

/** Asks every manager of the queue, or of one host, to stop, waits until they are gone and says how many there were. */
export async function workerStop(this: Context, flags: WorkerStopFlags): Promise<void> {
  if (flags.now && flags.grace !== undefined) {
    throw new QueuectlError("usage", "Flags --now and --grace cannot be given together: --now is --grace 0s");
  }
  const asked = flags.now ? 0 : flags.grace === undefined ? undefined : duration("grace", flags.grace);
  await using store = await openQueue(this, "empty");
  const hosts = flags.host === undefined ? undefined : hostsNamed(flags.host, await store.processes());
  if (hosts?.length === 0) {
    throw new QueuectlError("not_found", `No manager or worker found on host ${flags.host}`);
  }
  const { stopWorkers } = await import("../../worker/manager/stop.ts");
  // It takes as long as the commands do.
  leaveStartFolder(startFolder());
  const stopped = await stopWorkers(store, {
    grace: asked ?? configFrom(await store.settings()).grace,
    hosts,
  });
  if (flags.json) return await print(json({ managers: stopped }) + "\n");
  await printLines(
    stopped === 0 ? "No active worker manager found." : `Stopped ${counted(stopped, "worker manager")}.`,
  );
}
