/** The runners of a worker: as many as it has ever run commands side by side. */

import { startShellRunner } from "./shell_runner.ts";
import type { CommandSpec } from "./shell_script.ts";
import type { StartedRun } from "./spool.ts";
import { startWindowsRunner } from "./windows_runner.ts";

/** What a runner says of a command that has ended. */
export interface RunnerAnswer {
  status: number;
  /** Whether it printed something; `unopened` when its files could not be made, so that it did not start. */
  output: "printed" | "silent" | "unopened";
}

/** Runs commands, one at a time. */
export interface Runner {
  /** Whether it can run another command after one that has ended. */
  readonly reusable: boolean;
  /**
   * Runs a command; `key` names the run within the database. `started` is told who runs it. Resolves when it has
   * ended; to `refused` when the status file could not be created, null when the runner was killed.
   */
  run(
    spec: CommandSpec,
    key: string,
    started: (run: StartedRun) => void,
  ): Promise<RunnerAnswer | "refused" | null>;
  /** Lets the runner end, after the command that it runs. */
  close(): void;
}

/** Runs commands with idle runners, or new ones. */
export interface RunnerPool {
  /** As {@link Runner.run}; the runner takes no other command before `release` is called. */
  run(
    spec: CommandSpec,
    key: string,
    started: (run: StartedRun) => void,
  ): Promise<{ answer: RunnerAnswer | "refused" | null; release: () => void }>;
  /** Lets all runners end, each after the command that it runs. */
  close(): void;
}

/** The runners of this process; `boot` is the boot of this host, which goes into every status file. */
export function openRunnerPool(boot: string): RunnerPool {
  const idle: Runner[] = [];
  let closed = false;
  return {
    async run(spec, key, started) {
      const runner = idle.pop() ??
        (Deno.build.os === "windows" ? startWindowsRunner(boot) : await startShellRunner(boot));
      const answer = await runner.run(spec, key, started);
      return {
        answer,
        release() {
          if (answer !== null && runner.reusable && !closed) idle.push(runner);
          else runner.close();
        },
      };
    },
    close() {
      closed = true;
      for (const runner of idle.splice(0)) runner.close();
    },
  };
}
