/**
 * The files of a run, in the spool beside the database: `SEQ.RUN.out`, `.err` (what the command prints), `.status`
 * (who runs it, why it is ended, how it ended), and `.out.kept`, `.err.kept` (the ends of an output that was cut).
 *
 * Invariants:
 * - the status file is created exclusively, by the runner before the command starts, or by whoever gives the run up;
 * - an exit status is believed only when its whole line is there;
 * - the files are removed only after the result was recorded.
 */

import { allowances } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import { signedStatus } from "../../job/exit_status.ts";
import { isInUse, readIfThere, reasonOf, removeIfThere, statIfThere } from "../../base/files.ts";
import { stateFolder } from "../../base/state_folder.ts";
import { type Exposure, refusalOf, spoolExposures } from "../../base/other_users.ts";
import { streams } from "./spool_output.ts";

/** Who runs a command: the runner, and the marks that its processes carry. */
export interface StartedRun {
  pid: number;
  start: string;
  boot: string;
  claim: string;
  runner: string;
  /** Not of runs of an older queuectl. */
  origin?: RunOrigin;
}

/** For whom a run was started. */
export interface RunOrigin {
  /** The pid of the worker, which is the runner's parent while it lives. */
  worker: number;
  /** The identities of the database; see `Store.identities`. */
  database: readonly string[];
  /** On a server, which of its queues: the name of its spool. */
  queue?: string;
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

const endings = ["timed_out", "handed_back", "cancelled"] as const;

/** Why a command is ended. */
export type Ending = typeof endings[number];

/**
 * Makes the folder, for its owner alone. Throws `database` when that cannot be done, and, unless it is allowed, where another
 * user has made it or something in it, or can write to it.
 */
export function makeSpool(folder: string, allowShared = false): void {
  let found: Exposure[] = [];
  const problem = problemOf(folder, () => {
    makeFolder(folder);
    found = allowShared ? [] : spoolExposures(folder);
    // What is wrong about it is told first.
    if (found.length > 0) return;
    removeTrials(folder);
    tryToWrite(folder);
  });
  if (problem) throw problem;
  if (found.length > 0) throw new QueuectlError("database", refusalOf(found[0]));
}

/** Makes it, with the folders above it only where these are queuectl's own: not that of a database that was removed. */
function makeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && statIfThere(folder)?.isDirectory) return;
    const isOurs = () => folder.startsWith(`${stateFolder(Deno.build.os, Deno.env.toObject())}/`);
    if (!(error instanceof Deno.errors.NotFound && isOurs())) throw error;
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/** Makes the folder of a run's files where somebody has removed it; whether it was gone. Throws as {@link makeSpool}. */
export function makeSpoolAgain(files: string): boolean {
  if (hasSpool(files)) return false;
  makeSpool(folderOf(files), allowances().allowShared);
  return true;
}

/** Whether the folder of a run's files is there. */
export const hasSpool = (files: string): boolean => statIfThere(folderOf(files)) !== undefined;

const folderOf = (files: string) => files.slice(0, files.lastIndexOf("/"));

/** What keeps this user from using the folder, made already or not; nothing is left of the look. */
export function spoolProblem(folder: string): QueuectlError | undefined {
  return problemOf(folder, () => {
    let nearest = folder;
    while (!statIfThere(nearest)) nearest = nearest.replace(/[/\\][^/\\]*$/, "") || "/";
    tryToWrite(nearest);
  });
}

/** How the folders are called that are made only to see whether that can be done. */
const trialPrefix = ".queuectl-";

/** Removes such folders whose maker was killed before it could do so itself. */
function removeTrials(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.startsWith(trialPrefix)) removeIfThere(`${folder}/${name}`);
  }
}

function tryToWrite(folder: string): void {
  try {
    removeIfThere(Deno.makeTempDirSync({ dir: folder, prefix: trialPrefix }));
  } catch (error) {
    // A disk that is full has room again at some time.
    if (!/os error (28|122|112)\b/.test(String(error))) throw error;
  }
}

function problemOf(folder: string, use: () => void): QueuectlError | undefined {
  try {
    use();
  } catch (error) {
    const reason = error instanceof Error ? reasonOf(error).split(":")[0] : String(error);
    const what = `The folder ${folder} for running commands cannot be used: ${reason}`;
    return new QueuectlError("database", what, { cause: error });
  }
}

/** The path of a run's files, to which `.out`, `.err` and `.status` are added. */
export function runFiles(folder: string, seq: number, run: number): string {
  return `${folder}/${seq}.${run}`;
}

/** The first line of a status file. */
export function startedLine({ pid, start, boot, claim, runner, origin }: StartedRun): string {
  return ["started", pid, start, boot, claim, runner, ...origin ? [originText(origin)] : []].join(" ");
}

/** An origin as it is in a status file, and in the environment of a command. */
export const originText = ({ worker, database, queue }: RunOrigin): string =>
  [worker, database.join(), ...queue === undefined ? [] : [queue]].join(" ");

/** Reads that; undefined for what is none. */
export function parseOrigin(text: string): RunOrigin | undefined {
  const [, worker, database, queue] = /^(\d{1,10}) (\S+)(?: (\S+))?$/.exec(text) ?? [];
  if (worker === undefined) return undefined;
  return { worker: Number(worker), database: database.split(","), ...queue !== undefined && { queue } };
}

/**
 * Reads a status file; undefined when there is none, or nothing has been written to it yet. The command can write to it too:
 * lines that are none of those above say nothing.
 */
export function readStatus(files: string): RunStatus | undefined {
  const text = readIfThere(`${files}.status`);
  if (text === undefined || !text.includes("\n")) return undefined;
  // A last line without its end may have lost its last digits.
  const lines = text.split("\n").slice(0, -1).map((line) => line.trimEnd());
  const exits = lines.map((line) => /^exit (-?\d{1,10})$/.exec(line)?.[1] ?? null);
  const reasons = lines.map((line) => endings.find((ending) => line === `ending ${ending}`) ?? null);
  const place = lines.findIndex((_, index) => exits[index] !== null || reasons[index] !== null);
  const exit = exits.find((status) => status !== null) ?? null;
  return {
    started: startedRun(lines[0]),
    exitStatus: exit === null ? null : signedStatus(Number(exit)),
    // What comes first counts: a command that has ended by itself is not being ended.
    ending: reasons[place] ?? null,
  };
}

/** Reads the first line of a status file; null for one that is none. */
function startedRun(line: string): StartedRun | null {
  const [, pid, start, boot, claim, runner, rest] =
    /^started (\d{1,10}) (\S+) (\S+) (\S+) (\S+)(?: (\d{1,10} \S+(?: \S+)?))?$/.exec(line) ?? [];
  if (pid === undefined) return null;
  const run = { pid: Number(pid), start, boot, claim, runner };
  return rest === undefined ? run : { ...run, origin: parseOrigin(rest) };
}

/** Whether anybody on this host has begun with this run, or has given it up. */
export function hasStatus(files: string): boolean {
  return statIfThere(`${files}.status`) !== undefined;
}

/** When something was last added to the status file, in milliseconds since 1970 by this host's clock; undefined when there is none. */
export const writtenAt = (files: string): number | undefined =>
  statIfThere(`${files}.status`)?.mtime?.getTime();

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

/**
 * Removes the files of a run; with `cut` false, known never to have been cut, nothing more is looked for. On Windows a file
 * that somebody has open may have to stay, for {@link sweep}.
 */
export function removeFiles(files: string, cut = true): void {
  for (const stream of streams) {
    if (removeOrLeave(`${files}.${stream}`) && cut) {
      for (const rest of ["kept", "kept.new"]) removeKept(`${files}.${stream}.${rest}`);
    }
  }
  removeOrLeave(`${files}.status`);
}

/** Whether there was a file, and it could be removed. */
function removeOrLeave(path: string): boolean {
  try {
    return removeIfThere(path);
  } catch (error) {
    if (isInUse(error)) return false;
    throw error;
  }
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

/**
 * Removes what runs have left behind that ended without their worker; `isNeeded` tells which still go on, and `isForeign`
 * those of another database.
 */
export async function sweep(
  folder: string,
  isNeeded: (seq: number, run: number) => Promise<boolean>,
  now: number,
  isForeign: (run: StartedRun) => boolean = () => false,
): Promise<void> {
  for (const { seq, run, files } of spooledRuns(folder)) {
    if (await isNeeded(seq, run)) continue;
    const status = readStatus(files);
    // A runner that was stopped for long must still find that its command was given up.
    if (status?.started === null && now - modifiedAt(`${files}.status`, now) < 86_400_000) continue;
    if (status?.started && isForeign(status.started)) continue;
    removeFiles(files);
  }
}

function removeKept(path: string): void {
  if (statIfThere(path)) removeOrLeave(path);
}

/** When a file was last written; `ifGone` when it has been removed meanwhile. */
function modifiedAt(path: string, ifGone: number): number {
  return statIfThere(path)?.mtime?.getTime() ?? ifGone;
}
