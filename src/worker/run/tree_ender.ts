/** Ends the whole tree of a command, or sends it a signal. */

import { delay } from "../../base/delay.ts";
import { printMessage } from "../host/log.ts";
import type { ProcessEntry } from "../host/platform.ts";
import {
  canSignal,
  commandProcesses,
  commandShell,
  endProcess,
  sendSignal,
  takeSnapshot,
} from "../host/processes.ts";
import type { StartedRun } from "../spool/spool.ts";
import { untilPossible } from "../host/until_possible.ts";
import * as windows from "./windows_command_tree.ts";

/** Ends the tree of a command, once it is asked to, and sends it signals. */
export interface TreeEnder {
  /** See `RunningCommand`. */
  end(grace: number): Promise<readonly number[]>;
  /** The same for what is left of a command that has ended; where it is being ended already, that goes on as it is. */
  endRest(grace: number): Promise<readonly number[]>;
  /** Resolves to the pids of what cannot be ended when a command is given up that has not ended. */
  readonly givenUp: Promise<readonly number[]>;
  /** See `RunningCommand`. */
  signal(signal: Deno.Signal): Promise<boolean>;
  /** Resolves when nothing is being ended or signalled any more; from then on nothing can be. */
  settled(): Promise<void>;
}

/** Milliseconds between two looks for the processes of a command that has not begun. */
const startPause = 10;

/**
 * Milliseconds after KILL for which what is left is waited for: processes of another user, as `sudo` makes them, those in a
 * disk access that hangs, and those that appear again and again.
 */
export const longestEnding = 30_000;

/**
 * Asks the processes of a command to end, each once, or with `force` ends them. To be called again and again, because
 * they make others meanwhile: resolves to those that there were.
 */
type Ending = (force: boolean) => Promise<readonly number[]>;

/**
 * `isOver` tells whether the command has ended; one that has not even begun has no processes either. What is left `patience`
 * milliseconds after KILL is left alive, and told.
 */
export function treeEnder(
  runner: Promise<StartedRun | null>,
  isOver: () => boolean,
  patience = longestEnding,
): TreeEnder {
  let deadline = Infinity;
  let ending: Promise<readonly number[]> | undefined;
  const givenUp = Promise.withResolvers<readonly number[]>();
  async function endTree(): Promise<readonly number[]> {
    const started = await runner;
    if (!started) return [];
    const endProcesses = Deno.build.os === "windows" ? windowsEnding(started) : posixEnding(started);
    for (let pause = 10;; pause = Math.min(pause * 2, 250)) {
      const processes = await endProcesses(performance.now() >= deadline);
      if (processes.length === 0 && isOver()) return [];
      const left = deadline - performance.now();
      if (-left >= patience) {
        printMessage(`queuectl: ${processesWords(processes)}; its command is given up`);
        givenUp.resolve(processes);
        return processes;
      }
      await delay(left > 0 ? Math.min(pause, left) : pause);
    }
  }

  /** A process that has got one of these makes no others: what it made between the look and the signal is looked for. */
  const lasting: Deno.Signal[] = ["SIGSTOP", "SIGKILL"];
  /** Until those that were sent are delivered. */
  let signalling: Promise<unknown> | undefined;

  async function signalTree(signal: Deno.Signal): Promise<boolean> {
    const started = canSignal ? await runner : null;
    const sent = new Set<number>();
    let reached = false;
    let shell: ProcessEntry | undefined;
    while (started && !isOver() && !ending) {
      const snapshot = await untilPossible(() => takeSnapshot(started));
      shell ??= commandShell(snapshot, started);
      const processes = commandProcesses(snapshot, started, shell).filter((pid) => !sent.has(pid));
      if (isOver() || ending) break;
      for (const pid of processes) {
        reached = sendSignal(pid, signal) || reached;
        sent.add(pid);
      }
      if (sent.size > 0 && (processes.length === 0 || !lasting.includes(signal))) break;
      // Its runner has not begun with it yet.
      if (sent.size === 0) await delay(startPause);
    }
    return reached;
  }

  return {
    givenUp: givenUp.promise,
    signal(signal) {
      const sending = (signalling ?? Promise.resolve()).then(() => signalTree(signal));
      // What went wrong is told to who has asked for it; here only the end matters.
      signalling = sending.catch(() => {});
      return sending;
    },
    end(grace) {
      deadline = Math.min(deadline, performance.now() + grace);
      return ending ??= endTree();
    },
    endRest(grace) {
      return ending ?? this.end(grace);
    },
    settled() {
      ending ??= Promise.resolve([]);
      return Promise.all([ending, signalling]).then(() => {});
    },
  };
}

/** Processes that are left alive, in words. */
export function processesWords(pids: readonly number[]): string {
  const shown = pids.slice(0, 10).join(", ") + (pids.length > 10 ? ", …" : "");
  return pids.length === 1
    ? `process ${shown} cannot be ended and is still alive`
    : `processes ${shown} cannot be ended and are still alive`;
}

/** By signals: TERM, and KILL. */
function posixEnding(started: StartedRun): Ending {
  /** What was found, with its start: that stays the command's when nothing else leads to it any more. */
  const known = new Map<number, string>();
  // Remembered from the first look: the command's own shell may end before the rest.
  let shell: ProcessEntry | undefined;
  return async (force) => {
    const snapshot = await untilPossible(() => takeSnapshot(started));
    shell ??= commandShell(snapshot, started);
    const processes = commandProcesses(snapshot, started, shell, known);
    // What appears while the others end is asked too, and what never stops to appear is ended with the rest.
    for (const pid of processes) {
      const { start } = snapshot.processes.get(pid)!;
      if (force || known.get(pid) !== start) endProcess(pid, force);
      known.set(pid, start);
    }
    return processes;
  };
}

/** By a console event and the close of windows, once for all processes; and by the end of the job. */
function windowsEnding(started: StartedRun): Ending {
  let isAsked = false;
  return async (force) => {
    const processes = await untilPossible(() => windows.commandProcesses(started));
    if (force || processes.length === 0) windows.endCommand(started);
    else if (!isAsked) {
      isAsked = true;
      try {
        await windows.askToEnd(started);
      } catch (error) {
        // It ends all the same, when its time is over.
        printMessage(`queuectl: a command cannot be asked to end: ${(error as Error).message}`);
      }
    }
    // Where queuectl itself was started by a job, this process may be in it.
    return processes.filter((pid) => pid !== Deno.pid);
  };
}
