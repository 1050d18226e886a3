/**
 * Runs one command, or adopts one that runs already, and says how it ended. Knows files and processes, but no store.
 */

import { QueuectlError } from "../../base/errors.ts";
import { delay } from "../../base/delay.ts";
import { commandShell, findProcess, isAlive, takeSnapshot } from "../host/processes.ts";
import type { RunnerAnswer } from "./runner.ts";
import type { RunnerPool } from "./runner_pool.ts";
import type { CommandSpec } from "./shell_script.ts";
import { type Ending, hasSpool, makeSpoolAgain, readStatus, type StartedRun } from "../spool/spool.ts";
import { hasOutput } from "../spool/spool_output.ts";
import { type TreeEnder, treeEnder } from "./tree_ender.ts";
import { untilPossible } from "../host/until_possible.ts";
import { resumeIfSuspended } from "../host/windows/start_process.ts";

/** How a command ended, before anybody decides what that means for its job. */
export type CommandEnd =
  /** When it is `silent` there is nothing in its files; with `ending` an earlier owner has ended it, for that reason. */
  | { kind: "exited"; status: number; silent?: boolean; ending?: Ending }
  /** Nothing was started: the system refused a process or a file. */
  | { kind: "not_started"; message: string }
  /** The command cannot be started, whatever the system has to spare. */
  | { kind: "spawn_failed"; message: string }
  /**
   * Ended without leaving an exit status, or given up; with `ending` an owner has ended it, for that reason. `alive` are the
   * pids of what is left of it and cannot be ended.
   */
  | { kind: "lost"; message: string; ending?: Ending; alive?: readonly number[] }
  /** There is a status file already: somebody else has given this run up before it started. */
  | { kind: "refused" };

/** A command that runs. */
export interface RunningCommand {
  /** Resolves when the command itself has ended; never rejects. What it left in the background is left alone. */
  readonly ended: Promise<CommandEnd>;
  /** Who runs it; undefined while nobody does. */
  readonly startedRun: StartedRun | undefined;
  /**
   * Ends the command with every process that belongs to it: TERM, and KILL for what is left after `grace` ms.
   * Resolves when none is left, or, some time after KILL, to the pids of those that cannot be ended; so does `ended`
   * then. A second call with a shorter grace hastens the first.
   */
  end(grace: number): Promise<readonly number[]>;
  /**
   * Sends a signal to every process that belongs to it, unless it has ended or is being ended; tells whether any got it.
   * Throws for one that this system does not have.
   */
  signal(signal: Deno.Signal): Promise<boolean>;
}

/** Milliseconds from TERM to KILL, where nobody has said another time. */
export const killDelay = 5000;
/** Milliseconds between two looks at an adopted command: at its status file, and at its processes. */
const statusInterval = 30;
const aliveInterval = 1000;

/**
 * Starts a command with a runner of the pool; `key` names the run within the database. What cannot be ended is given up
 * `patience` milliseconds after KILL.
 */
export function startCommand(
  spec: CommandSpec,
  key: string,
  pool: RunnerPool,
  patience?: number,
): RunningCommand {
  const started = Promise.withResolvers<StartedRun | null>();
  let startedRun: StartedRun | undefined;
  let isOver = false;
  const start = () =>
    pool.run(spec, key, (run) => {
      startedRun = run;
      started.resolve(run);
    });
  const tree = treeEnder(started.promise, () => isOver, patience);
  async function run(): Promise<CommandEnd> {
    try {
      // There it would be the command that cannot be started.
      if (Deno.build.os === "windows") makeSpoolAgain(spec.files);
      let { answer, release } = await start();
      if (answer === "refused" && makeSpoolAgain(spec.files)) {
        release();
        ({ answer, release } = await start());
      }
      isOver = true;
      const end = await commandEnd(answer, spec.files, tree);
      // What the runner ran next would be below it too, and be ended with the rest of this command.
      tree.settled().then(release);
      return end;
    } catch (error) {
      const reason = (error as Error).message;
      const isExplained = error instanceof QueuectlError;
      return {
        kind: "not_started",
        message: isExplained ? reason : `No process could be started: ${reason}`,
      };
    } finally {
      isOver = true;
      started.resolve(null);
    }
  }
  return {
    ended: endedOrGivenUp(run(), tree),
    get startedRun() {
      return startedRun;
    },
    end: tree.end,
    signal: tree.signal,
  };
}

const endedOrGivenUp = (ended: Promise<CommandEnd>, tree: TreeEnder): Promise<CommandEnd> =>
  Promise.race([
    ended,
    tree.givenUp.then((alive) => ({ kind: "lost", message: "It cannot be ended", alive }) as const),
  ]);

/** What an answer of a runner, and the files, say. */
async function commandEnd(
  answer: RunnerAnswer | "refused" | null,
  files: string,
  tree: TreeEnder,
): Promise<CommandEnd> {
  if (answer !== null && typeof answer === "object" && "problem" in answer) {
    return { kind: "spawn_failed", message: answer.problem };
  }
  if (answer === "refused" && await untilPossible(() => readStatus(files))) return { kind: "refused" };
  // The runner makes the status file, then a process, and that the files for the output. Where all are gone with their folder
  // nobody can tell.
  const isBegun = () => hasOutput(files) || !hasSpool(files);
  if (answer === "refused" || (answer ? answer.output === "unopened" : !isBegun())) {
    return { kind: "not_started", message: "The files for the command's output could not be written" };
  }
  if (answer === null) return await endLost(files, tree);
  return { kind: "exited", status: answer.status, silent: answer.output === "silent" };
}

/** Takes care of a command that a worker which is gone has started. */
export function adoptCommand(files: string, started: StartedRun): RunningCommand {
  let isOver = false;
  let isGivenUp = false;
  const tree = treeEnder(Promise.resolve(started), () => isOver);
  void tree.givenUp.then(() => isGivenUp = true);
  async function watch(): Promise<CommandEnd> {
    const end = await untilEnd();
    isOver = true;
    return end ?? await endLost(files, tree);
  }
  /** Undefined when it is gone without an end in its files. */
  async function untilEnd(): Promise<CommandEnd | undefined> {
    for (let nextLook = performance.now() + aliveInterval; !isGivenUp;) {
      const end = await untilPossible(() => readEnd(files));
      if (end) return end;
      if (performance.now() >= nextLook) {
        if (!isAlive(started, await untilPossible(() => takeSnapshot()))) return undefined;
        nextLook = performance.now() + aliveInterval;
      }
      await delay(statusInterval);
    }
  }
  if (Deno.build.os === "windows") resumeIfSuspended(started);
  return {
    ended: endedOrGivenUp(watch(), tree),
    startedRun: started,
    end: tree.end,
    signal: tree.signal,
  };
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
  return await endLost(files, treeEnder(Promise.resolve(started), () => true));
}

/** Ends what is left of a command that has ended while an owner who is gone was ending it. */
export async function endRest(started: StartedRun): Promise<readonly number[]> {
  const snapshot = await untilPossible(() => takeSnapshot());
  // What its runner has begun since then is another command: nothing of this one was left when it did.
  if (findProcess(started, snapshot) && commandShell(snapshot, started)) return [];
  return await treeEnder(Promise.resolve(started), () => true).end(killDelay);
}

async function endLost(files: string, tree: TreeEnder): Promise<CommandEnd> {
  const end = await untilPossible(() => readEnd(files));
  if (end) return end;
  const alive = await tree.endRest(killDelay);
  const ending = (await untilPossible(() => readStatus(files)))?.ending ?? undefined;
  return {
    kind: "lost",
    message: "Command ended without an exit status: it, or the shell that ran it, was killed",
    ending,
    alive,
  };
}
