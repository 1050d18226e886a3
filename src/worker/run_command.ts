/**
 * Runs one command, or adopts one that runs already, and says how it ended. Knows files and processes, but no store.
 */

import { delay } from "./delay.ts";
import { commandProcesses, endProcess, isAlive, takeSnapshot } from "./processes.ts";
import type { RunnerPool } from "./runner_pool.ts";
import type { CommandSpec } from "./shell_script.ts";
import { hasOutput, readStatus, type StartedRun } from "./spool.ts";
import { untilPossible } from "./until_possible.ts";

/** How a command ended, before anybody decides what that means for its job. */
export type CommandEnd =
  | { kind: "exited"; status: number }
  /** Nothing was started: the system refused a process or a file. */
  | { kind: "not_started"; message: string }
  /** Ended without leaving an exit status. */
  | { kind: "lost"; message: string }
  /** There is a status file already: somebody else has given this run up before it started. */
  | { kind: "refused" };

/** A command that runs. */
export interface RunningCommand {
  /** Resolves when the command itself has ended; never rejects. What it left in the background is left alone. */
  readonly ended: Promise<CommandEnd>;
  /**
   * Ends the command with every process that belongs to it: TERM, and KILL for what is left after `grace` ms.
   * Resolves when none is left. A second call with a shorter grace hastens the first.
   */
  end(grace: number): Promise<void>;
}

/** Milliseconds from TERM to KILL. */
export const killDelay = 5000;
/** Milliseconds between two looks at an adopted command: at its status file, and at its processes. */
const statusInterval = 30;
const aliveInterval = 1000;

/** Starts a command with a runner of the pool; `key` names the run within the database. */
export function startCommand(spec: CommandSpec, key: string, pool: RunnerPool): RunningCommand {
  const started = Promise.withResolvers<StartedRun | null>();
  async function run(): Promise<CommandEnd> {
    let status;
    try {
      status = await pool.run(spec, key, started.resolve);
      if (status === null && hasOutput(spec.files)) {
        return await lostCommand(spec.files, (await started.promise)!);
      }
    } catch (error) {
      return { kind: "not_started", message: `No process could be started: ${(error as Error).message}` };
    } finally {
      started.resolve(null);
    }
    if (status === "refused" && await untilPossible(() => readStatus(spec.files))) return { kind: "refused" };
    // The shell makes the files before the command starts, whose status it would be otherwise.
    if (typeof status !== "number" || !hasOutput(spec.files)) {
      return { kind: "not_started", message: "The files for the command's output could not be written" };
    }
    return { kind: "exited", status };
  }
  return { ended: run(), end: treeEnder(started.promise) };
}

/** Takes care of a command that a worker which is gone has started. */
export function adoptCommand(files: string, started: StartedRun): RunningCommand {
  async function watch(): Promise<CommandEnd> {
    for (let nextLook = performance.now() + aliveInterval;;) {
      const status = await untilPossible(() => readStatus(files)?.exitStatus ?? null);
      if (status !== null) return { kind: "exited", status };
      if (performance.now() >= nextLook) {
        if (!isAlive(started, await untilPossible(() => takeSnapshot()))) {
          return await lostCommand(files, started);
        }
        nextLook = performance.now() + aliveInterval;
      }
      await delay(statusInterval);
    }
  }
  return { ended: watch(), end: treeEnder(Promise.resolve(started)) };
}

/** The end of a command whose runner is gone: its last word may still be there; what is left of it is ended. */
export async function lostCommand(files: string, started: StartedRun): Promise<CommandEnd> {
  const status = await untilPossible(() => readStatus(files)?.exitStatus ?? null);
  if (status !== null) return { kind: "exited", status };
  await treeEnder(Promise.resolve(started))(killDelay);
  return {
    kind: "lost",
    message: "Command ended without an exit status: it, or the shell that ran it, was killed",
  };
}

function treeEnder(runner: Promise<StartedRun | null>): (grace: number) => Promise<void> {
  let deadline = Infinity;
  let ending: Promise<void> | undefined;
  async function endTree(): Promise<void> {
    const started = await runner;
    if (!started) return;
    const asked = new Set<number>();
    /** Processes of another user, as `sudo` makes them: nothing can be done about those. */
    const foreign = new Set<number>();
    for (let pause = 10;; pause = Math.min(pause * 2, 250)) {
      const processes = commandProcesses(await untilPossible(() => takeSnapshot(started)), started)
        .filter((pid) => !foreign.has(pid));
      if (processes.length === 0) return;
      // What appears while the others end is asked too, and what never stops to appear is ended with the rest.
      const force = performance.now() >= deadline;
      for (const pid of processes) {
        if ((force || !asked.has(pid)) && !await endProcess(pid, force)) foreign.add(pid);
        asked.add(pid);
      }
      await delay(Math.max(1, Math.min(pause, deadline - performance.now())));
    }
  }
  return (grace) => {
    deadline = Math.min(deadline, performance.now() + grace);
    return ending ??= endTree();
  };
}
