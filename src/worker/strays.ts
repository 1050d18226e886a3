/** Commands that have outlived every queuectl process of this host, and whose jobs went to another host meanwhile. */

import type { Store } from "../store/store.ts";
import { lostCommand } from "./run_command.ts";
import { readStatus, spooledRuns } from "./spool.ts";

/**
 * Ends what still runs of runs that are nobody's any more, or another host's; `boot` is the boot of this host. Nobody was
 * there to do it when the lease was over. Only where other hosts can take over: otherwise commands are adopted.
 */
export async function endStrays(store: Store, boot: string): Promise<void> {
  if (!store.shared) return;
  await Promise.all(
    spooledRuns(store.spool).map(async ({ seq, run, files }) => {
      const status = readStatus(files);
      if (!status?.started || status.exitStatus !== null || status.started.boot !== boot) return;
      if (!await store.isRunning(seq, run, boot)) await lostCommand(files, status.started);
    }),
  );
}
