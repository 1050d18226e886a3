/**
 * The files of a run, in the spool beside the database: `SEQ.RUN.out`, `.err` (what the command prints), `.status`
 * (who runs it, why it is ended, how it ended), and `.out.kept`, `.err.kept` (the ends of an output that was cut).
 *
 * Invariants:
 * - the status file is created exclusively, by the runner before the command starts, or by whoever gives the run up;
 * - an exit status is believed only when its whole line is there;
 * - the files are removed only after the result was recorded.
 */

import { QueuectlError } from "../errors.ts";
import { readIfThere, reasonOf, removeIfThere, statIfThere } from "../files.ts";
import { streams } from "./spool_output.ts";

/** Who runs a command: the runner, and the marks that its processes carry. */
export interface StartedRun {
  pid: number;
  start: string;
  boot: string;
  claim: string;
  runner: string;
}

/** What a status file says. */
export interface RunStatus {
  /** Null for a run that was given up before its command started. */
  started: StartedRun | null;
  /** Null while the command runs. */
  exitStatus: number | null;
  /** Why its owner was about to end the command, before it had ended by itself. */
  ending: Ending | null;
}

/** Why a command is ended. */
export type Ending = "timed_out" | "handed_back" | "cancelled";

/** Makes the folder, for its owner alone. Throws `database` when that cannot be done. */
export function makeSpool(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? reasonOf(error) : String(error);
    throw new QueuectlError(
      "database",
      `The folder ${folder} for running commands cannot be made: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

/** The path of a run's files, to which `.out`, `.err` and `.status` are added. */
export function runFiles(folder: string, seq: number, run: number): string {
  return `${folder}/${seq}.${run}`;
}

/** The first line of a status file. */
export function startedLine({ pid, start, boot, claim, runner }: StartedRun): string {
  return `started ${pid} ${start} ${boot} ${claim} ${runner}`;
}

/** Reads a status file; undefined when there is none, or nothing has been written to it yet. */
export function readStatus(files: string): RunStatus | undefined {
  const text = readIfThere(`${files}.status`);
  if (text === undefined || !text.includes("\n")) return undefined;
  // A last line without its end may have lost its last digits.
  const lines = text.split("\n").slice(0, -1).map((line) => line.trimEnd());
  // What comes first counts: a command that has ended by itself is not being ended.
  const last = lines.map((line) => /^(?:exit|ending) (\w+)$/.exec(line)).find((match) => match !== null);
  const ending = last?.[0].startsWith("ending") ? last[1] as Ending : null;
  const exit = lines.map((line) => /^exit (\d+)$/.exec(line)).find((match) => match !== null);
  // On Windows the pid is known only after the file was made; it follows in a line of its own.
  const late = lines.map((line) => /^pid (\d+) (\S+)$/.exec(line)).find((match) => match !== null);
  const [word, pid, start, boot, claim, runner] = lines[0].split(" ");
  const started = { pid: Number(late?.[1] ?? pid), start: late?.[2] ?? start, boot, claim, runner };
  return {
    started: word === "started" ? started : null,
    exitStatus: exit ? Number(exit[1]) : null,
    ending,
  };
}

/** Whether anybody on this host has begun with this run, or has given it up. */
export function hasStatus(files: string): boolean {
  return statIfThere(`${files}.status`) !== undefined;
}

/** Creates the status file, so that the command can no longer start; false when it has started already. */
export function giveUp(files: string): boolean {
  return createStatus(files, "given up");
}

/** Creates the status file with its first line; false when there is one. */
export function createStatus(files: string, line: string): boolean {
  try {
    Deno.writeTextFileSync(`${files}.status`, `${line}\n`, { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/** Says why the command is about to be ended, for whoever recovers the run. False when it has ended by itself. */
export function noteEnding(files: string, ending: Ending): boolean {
  const status = readStatus(files);
  if (status && status.exitStatus !== null) return false;
  // Before it has started the file is not there, and must not be: the runner would be refused.
  if (status?.started) appendStatus(files, `ending ${ending}`);
  return true;
}

/** The newest claim by which a worker of this host has taken the run over; 0 when none has. */
export function takenBy(files: string): number {
  const lines = (readIfThere(`${files}.status`) ?? "").split("\n");
  return Math.max(0, ...lines.map((line) => Number(/^taken (\d+)\r?$/.exec(line)?.[1] ?? 0)));
}

/** Says that a worker of this host has taken the run over, for the one that had it: it may still be there. */
export function noteTaken(files: string, claim: number): void {
  appendStatus(files, `taken ${claim}`);
}

/** Adds a line to a status file. */
export function appendStatus(files: string, line: string): void {
  Deno.writeTextFileSync(`${files}.status`, `${line}\n`, { append: true });
}

/** Removes the files of a run; with `cut` false, known never to have been cut, nothing more is looked for. */
export function removeFiles(files: string, cut = true): void {
  for (const stream of streams) {
    if (removeIfThere(`${files}.${stream}`) && cut) {
      for (const rest of ["kept", "kept.new"]) removeKept(`${files}.${stream}.${rest}`);
    }
  }
  removeIfThere(`${files}.status`);
}

/** A run of which something is in the spool. */
export interface SpooledRun {
  seq: number;
  run: number;
  files: string;
}

/** The runs of which something is in a folder. */
export function spooledRuns(folder: string): SpooledRun[] {
  const found = new Map<string, SpooledRun>();
  for (const { name } of Deno.readDirSync(folder)) {
    const match = /^(\d+)\.(\d+)\./.exec(name);
    if (!match) continue;
    const [seq, run] = [Number(match[1]), Number(match[2])];
    const files = runFiles(folder, seq, run);
    found.set(files, { seq, run, files });
  }
  return [...found.values()];
}

/** Removes what runs have left behind that ended without their worker; `isNeeded` tells which still go on. */
export async function sweep(
  folder: string,
  isNeeded: (seq: number, run: number) => Promise<boolean>,
  now: number,
): Promise<void> {
  for (const { seq, run, files } of spooledRuns(folder)) {
    if (await isNeeded(seq, run)) continue;
    // A runner that was stopped for long must still find that its command was given up.
    if (readStatus(files)?.started === null && now - modifiedAt(`${files}.status`, now) < 86_400_000) {
      continue;
    }
    removeFiles(files);
  }
}

function removeKept(path: string): void {
  if (statIfThere(path)) removeIfThere(path);
}

/** When a file was last written; `ifGone` when it has been removed meanwhile. */
function modifiedAt(path: string, ifGone: number): number {
  return statIfThere(path)?.mtime?.getTime() ?? ifGone;
}
