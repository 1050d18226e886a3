/** Commands that have outlived every queuectl process of this host, and whose jobs went to another host meanwhile. */

import type { Store } from "../../store/store.ts";
import { isForeign } from "./origin.ts";
import { findProcess, isAlive, takeSnapshot } from "../host/processes.ts";
import { lostCommand } from "../run/run_command.ts";
import { readStatus, spooledRuns, type StartedRun } from "../spool/spool.ts";

/**
 * Ends what still runs of runs that are nobody's any more, or another host's; `boot` is the boot of this host. Nobody was
 * there to do it when the lease was over. Only where other hosts can take over: otherwise commands are adopted.
 */
export async function endStrays(store: Store, boot: string): Promise<void> {
  if (!store.shared) return;
  await Promise.all(
    spooledRuns(store.spool).map(async ({ seq, run, files }) => {
      if (!startedHere(files, boot) || await store.isRunning(seq, run, boot)) return;
      // Asked again: a run that has just ended and been recorded is not running either, and its runner, which is below a
      // worker, has another command by now.
      const started = startedHere(files, boot);
      if (started && !await hasOwner(store, started)) await lostCommand(files, started);
    }),
  );
}

/** Who runs a command that has begun in this boot and has not ended; undefined where there is none. */
function startedHere(files: string, boot: string): StartedRun | undefined {
  const status = readStatus(files);
  return status?.started?.boot === boot && status.exitStatus === null ? status.started : undefined;
}

/** Whether it is another database's, or its runner below a registered worker of this host, which ends what it must not run. */
async function hasOwner(store: Store, runner: StartedRun): Promise<boolean> {
  // In this order: a worker that registers after the look at the store has not begun with anything that is there.
  const processes = await store.processes();
  const snapshot = await takeSnapshot();
  if (isForeign(runner, store, snapshot)) return true;
  const parent = findProcess(runner, snapshot)?.parent;
  return processes.some(({ identity }) => identity.pid === parent && isAlive(identity, snapshot));
}
