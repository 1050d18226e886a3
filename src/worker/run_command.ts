/**
 * Runs one command, or adopts one that runs already, and says how it ended. Knows files and processes, but no store.
 */

import { delay } from "./delay.ts";
import {
  canSignal,
  commandProcesses,
  commandShell,
  endProcess,
  isAlive,
  sendSignal,
  takeSnapshot,
} from "./processes.ts";
import type { ProcessEntry } from "./platform.ts";
import type { RunnerAnswer, RunnerPool } from "./runner_pool.ts";
import type { CommandSpec } from "./shell_script.ts";
import { type Ending, readStatus, type StartedRun } from "./spool.ts";
import { hasOutput } from "./spool_output.ts";
import { untilPossible } from "./until_possible.ts";

/** How a command ended, before anybody decides what that means for its job. */
export type CommandEnd =
  /** When it is `silent` there is nothing in its files; with `ending` an earlier owner has ended it, for that reason. */
  | { kind: "exited"; status: number; silent?: boolean; ending?: Ending }
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
  /**
   * Sends a signal to every process that belongs to it, unless it has ended or is being ended; tells whether any got it.
   * Throws for one that this system does not have.
   */
  signal(signal: Deno.Signal): Promise<boolean>;
}

/** Milliseconds from TERM to KILL, where nobody has said another time. */
export const killDelay = 5000;
/** Milliseconds between two looks for the processes of a command that has not begun. */
const startPause = 10;
/** Milliseconds between two looks at an adopted command: at its status file, and at its processes. */
const statusInterval = 30;
const aliveInterval = 1000;

/** Starts a command with a runner of the pool; `key` names the run within the database. */
export function startCommand(spec: CommandSpec, key: string, pool: RunnerPool): RunningCommand {
  const started = Promise.withResolvers<StartedRun | null>();
  let isOver = false;
  const tree = treeEnder(started.promise, () => isOver);
  async function run(): Promise<CommandEnd> {
    try {
      const { answer, release } = await pool.run(spec, key, started.resolve);
      isOver = true;
      // What the runner ran next would be below it too, and be ended with the rest of this command.
      tree.settled().then(release);
      return await commandEnd(answer, spec.files, started.promise);
    } catch (error) {
      return { kind: "not_started", message: `No process could be started: ${(error as Error).message}` };
    } finally {
      isOver = true;
      started.resolve(null);
    }
  }
  return { ended: run(), end: tree.end, signal: tree.signal };
}

/** What an answer of a runner, and the files, say. */
async function commandEnd(
  answer: RunnerAnswer | "refused" | null,
  files: string,
  started: Promise<StartedRun | null>,
): Promise<CommandEnd> {
  if (answer === "refused" && await untilPossible(() => readStatus(files))) return { kind: "refused" };
  // The shell makes the files before the command starts, whose status it would be otherwise.
  if (answer === "refused" || (answer ? answer.output === "unopened" : !hasOutput(files))) {
    return { kind: "not_started", message: "The files for the command's output could not be written" };
  }
  if (answer === null) return await lostCommand(files, (await started)!);
  return { kind: "exited", status: answer.status, silent: answer.output === "silent" };
}

/** Takes care of a command that a worker which is gone has started. */
export function adoptCommand(files: string, started: StartedRun): RunningCommand {
  let isOver = false;
  async function watch(): Promise<CommandEnd> {
    const end = await untilEnd();
    isOver = true;
    return end;
  }
  async function untilEnd(): Promise<CommandEnd> {
    for (let nextLook = performance.now() + aliveInterval;;) {
      const end = await untilPossible(() => readEnd(files));
      if (end) return end;
      if (performance.now() >= nextLook) {
        if (!isAlive(started, await untilPossible(() => takeSnapshot()))) {
          return await lostCommand(files, started);
        }
        nextLook = performance.now() + aliveInterval;
      }
      await delay(statusInterval);
    }
  }
  const tree = treeEnder(Promise.resolve(started), () => isOver);
  return { ended: watch(), end: tree.end, signal: tree.signal };
}

/** What the status file says of the end; undefined when it has none. */
function readEnd(files: string): CommandEnd | undefined {
  const status = readStatus(files);
  if (!status || status.exitStatus === null) return undefined;
  const end = { kind: "exited", status: status.exitStatus } as const;
  return status.ending ? { ...end, ending: status.ending } : end;
}

/** The end of a command whose runner is gone: its last word may still be there; what is left of it is ended. */
export async function lostCommand(files: string, started: StartedRun): Promise<CommandEnd> {
  const end = await untilPossible(() => readEnd(files));
  if (end) return end;
  await treeEnder(Promise.resolve(started), () => true).end(killDelay);
  return {
    kind: "lost",
    message: "Command ended without an exit status: it, or the shell that ran it, was killed",
  };
}

/** Ends the tree of a command, once it is asked to, and sends it signals. */
interface TreeEnder {
  end(grace: number): Promise<void>;
  signal(signal: Deno.Signal): Promise<boolean>;
  /** Resolves when nothing is being ended or signalled any more; from then on nothing can be. */
  settled(): Promise<void>;
}

/** `isOver` tells whether the command has ended; one that has not even begun has no processes either. */
function treeEnder(runner: Promise<StartedRun | null>, isOver: () => boolean): TreeEnder {
  let deadline = Infinity;
  let ending: Promise<void> | undefined;
  async function endTree(): Promise<void> {
    const started = await runner;
    if (!started) return;
    const asked = new Set<number>();
    /** Processes of another user, as `sudo` makes them: nothing can be done about those. */
    const foreign = new Set<number>();
    // Remembered from the first look: the command's own shell may end before the rest.
    let shell: ProcessEntry | undefined;
    for (let pause = 10;; pause = Math.min(pause * 2, 250)) {
      const snapshot = await untilPossible(() => takeSnapshot(started));
      shell ??= commandShell(snapshot, started);
      const processes = commandProcesses(snapshot, started, shell).filter((pid) => !foreign.has(pid));
      if (processes.length === 0 && isOver()) return;
      // What appears while the others end is asked too, and what never stops to appear is ended with the rest.
      const force = performance.now() >= deadline;
      for (const pid of processes) {
        if ((force || !asked.has(pid)) && !await endProcess(pid, force)) foreign.add(pid);
        asked.add(pid);
      }
      const left = deadline - performance.now();
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
    settled() {
      ending ??= Promise.resolve();
      return signalling ? Promise.all([ending, signalling]).then(() => {}) : ending;
    },
  };
}
