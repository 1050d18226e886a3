/** Ends a worker's commands before its lease is over, where another host may take their jobs over then. */

import { after } from "../../base/delay.ts";
import type { JobRun } from "../run/job_run.ts";
import type { Lease, Moment } from "./lease.ts";
import { killDelay } from "../run/run_command.ts";

export interface Fence {
  /** The lease was renewed, or the worker registered, by a request that was sent then; see {@link Lease.renewed}. */
  renewed(sent: Moment, length: number): void;
  /** Whether a command may be started: the lease is held, and none that had to be ended is left. */
  mayStart(): boolean;
  /** Ends all commands when it is time. To be called often: a host that was asleep has not counted that. */
  look(): void;
  /** Ends commands whose jobs belong to somebody else by now, at once; those that a worker of this host has are left to it. */
  end(runs: Iterable<JobRun>): void;
  /** Waits for nothing any more: nothing runs. */
  close(): void;
}

/** The fence around the runs of a worker; `say` is told in one line when they are ended. */
export function createFence(
  lease: Lease,
  running: () => Iterable<JobRun>,
  say: (text: string) => void,
): Fence {
  const ending = new Set<JobRun>();
  let stopTimer = () => {};

  function endRuns(runs: readonly JobRun[], grace: number): void {
    for (const run of runs) {
      ending.add(run);
      run.fence(grace);
      run.ended.then(() => ending.delete(run));
    }
  }

  function look(): void {
    if (lease.timeForWork() > 0) return;
    const runs = [...running()].filter((run) => !ending.has(run));
    if (runs.length === 0) return;
    const commands = runs.length === 1 ? "the command it runs" : `the ${runs.length} commands it runs`;
    say(`could not renew its lease; ends ${commands}, before another host may take over`);
    endRuns(runs, lease.killDelay(killDelay));
  }

  return {
    renewed(sent, length) {
      lease.renewed(sent, length);
      stopTimer();
      const time = lease.timeForWork();
      stopTimer = time < Infinity ? after(time, look) : () => {};
    },
    mayStart: () => lease.timeForWork() > 0 && ending.size === 0,
    look,
    end: (runs) => endRuns([...runs], 0),
    close: () => stopTimer(),
  };
}
