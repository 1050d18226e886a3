/** What runs commands, whatever the system: a shell, or on Windows one process for each command. */

import type { CommandSpec } from "./shell_script.ts";
import type { StartedRun } from "../spool/spool.ts";

/** What a runner says of a command that has ended, or that it cannot start. */
export type RunnerAnswer =
  | {
    status: number;
    /** Whether it printed something; `unopened` when its files could not be made, so that it did not start. */
    output: "printed" | "silent" | "unopened";
  }
  /** Why it can never be started. */
  | { problem: string };

/** Runs commands, one at a time. */
export interface Runner {
  /** Whether it can run another command after one that has ended. */
  readonly reusable: boolean;
  /** Its process, where it is reusable: what its commands leave is in the session, on macOS the group, of this one. */
  readonly pid: number;
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

/**
 * Takes out of this process's environment, which commands inherit, what is not meant for them: the marks of a job that has
 * started queuectl, and what make tells its own recipes, by which a make in a command would take itself for one of those.
 */
export function dropCallersVariables(): void {
  const marks = [
    "QUEUECTL_CLAIM",
    "QUEUECTL_RUNNER",
    "QUEUECTL_ORIGIN",
    "QUEUECTL_JOB_ID",
    "QUEUECTL_ATTEMPT",
    "QUEUECTL_QUEUE",
  ];
  // Without this one there is no make: what is set of the others then, somebody has set for all.
  const ofMake = Deno.env.has("MAKELEVEL")
    ? ["MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKE_TERMOUT", "MAKE_TERMERR"]
    : [];
  for (const name of [...marks, ...ofMake]) Deno.env.delete(name);
}
