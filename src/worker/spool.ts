/**
 * The files of a run, in the spool beside the database: `SEQ.RUN.out`, `.err` (what the command prints), `.status`
 * (who runs it, and how it ended), and `.out.kept`, `.err.kept` (the ends of an output that was cut).
 *
 * Invariants:
 * - the status file is created exclusively, by the runner before the command starts, or by whoever gives the run up;
 * - an exit status is believed only when its whole line is there;
 * - the files are removed only after the result was recorded.
 */

import { QueuectlError } from "../errors.ts";
import { boundedText, type Ends, lastBytes, partLength } from "./output.ts";

/** Bytes over the limit to which a file grows before it is cut. */
const cutAbove = 16 * 1024 ** 2;

export type Stream = "out" | "err";
const streams: Stream[] = ["out", "err"];

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
}

/** Makes the folder, for its owner alone. Throws `database` when that cannot be done. */
export function makeSpool(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
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
  const exit = lines.map((line) => /^exit (\d+)$/.exec(line)).find((match) => match !== null);
  // On Windows the pid is known only after the file was made; it follows in a line of its own.
  const late = lines.map((line) => /^pid (\d+) (\S+)$/.exec(line)).find((match) => match !== null);
  const [word, pid, start, boot, claim, runner] = lines[0].split(" ");
  const started = { pid: Number(late?.[1] ?? pid), start: late?.[2] ?? start, boot, claim, runner };
  return { started: word === "started" ? started : null, exitStatus: exit ? Number(exit[1]) : null };
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

/** Adds a line to a status file. */
export function appendStatus(files: string, line: string): void {
  Deno.writeTextFileSync(`${files}.status`, `${line}\n`, { append: true });
}

/** Whether the command's output could be opened: if not, it did not start. */
export function hasOutput(files: string): boolean {
  return sizeOf(`${files}.err`) !== undefined;
}

/** What a command has printed, bounded as {@link boundedText} says. */
export function readOutput(files: string, stream: Stream, limit: number): string {
  const path = `${files}.${stream}`;
  const size = sizeOf(path);
  if (size === undefined) return "";
  const kept = readKept(`${path}.kept`);
  return size === 0 && !kept ? "" : boundedText(readEnds(path, limit, kept), limit);
}

/**
 * Cuts what a command prints while it runs, so that the disk does not fill: a file that has outgrown the limit is
 * emptied (it is open for append), and its ends are kept beside it. What is printed in the moment between the last
 * look and the emptying is lost and not counted; a command that prints so much goes on, and overwrites that end.
 */
export function cutOutput(files: string, limit: number): void {
  for (const stream of streams) {
    const path = `${files}.${stream}`;
    if ((sizeOf(path) ?? 0) <= limit + cutAbove) continue;
    const kept = readKept(`${path}.kept`);
    // First a copy, then the cut: a crash between them repeats some bytes, and loses none. Then the copy once more,
    // with what was printed while the first was written.
    writeKept(`${path}.kept`, readEnds(path, limit, kept));
    const ends = readEnds(path, limit, kept);
    Deno.truncateSync(path);
    writeKept(`${path}.kept`, ends);
  }
}

/** Both ends of what was printed to a file, with what was kept of earlier cuts. */
function readEnds(path: string, limit: number, kept: Ends | undefined): Ends {
  const length = partLength(limit);
  using file = Deno.openSync(path);
  const size = file.statSync().size;
  if (kept) {
    const fresh = readAt(file, Math.max(0, size - length), Math.min(size, length));
    const tail = lastBytes(kept.tail, fresh, length);
    return { head: kept.head, omitted: kept.omitted + kept.tail.length + size - tail.length, tail };
  }
  if (size <= limit) return { head: readAt(file, 0, size), omitted: 0, tail: new Uint8Array() };
  return {
    head: readAt(file, 0, length),
    omitted: size - 2 * length,
    tail: readAt(file, size - length, length),
  };
}

function writeKept(path: string, { head, omitted, tail }: Ends): void {
  const lengths = new TextEncoder().encode(`${head.length} ${omitted}\n`);
  {
    using file = Deno.openSync(`${path}.new`, { write: true, create: true, truncate: true });
    for (const part of [lengths, head, tail]) writeAll(file, part);
  }
  Deno.renameSync(`${path}.new`, path);
}

function readKept(path: string): Ends | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const lineEnd = bytes.indexOf(10);
  const [headLength, omitted] = new TextDecoder().decode(bytes.subarray(0, lineEnd)).split(" ").map(Number);
  const parts = bytes.subarray(lineEnd + 1);
  return { head: parts.subarray(0, headLength), omitted, tail: parts.subarray(headLength) };
}

function readAt(file: Deno.FsFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let read = 0;
  while (read < length) {
    const count = file.readSync(bytes.subarray(read));
    // The file was cut meanwhile.
    if (count === null) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

/** Removes the files of a run. */
export function removeFiles(files: string): void {
  for (const stream of streams) {
    // Most commands print little: nothing was kept of them, and this is once for every job.
    if (removeIfThere(`${files}.${stream}`)) {
      for (const rest of ["kept", "kept.new"]) removeKept(`${files}.${stream}.${rest}`);
    }
  }
  removeIfThere(`${files}.status`);
}

/** Removes what runs have left behind that ended without their worker; `isNeeded` tells which still go on. */
export async function sweep(
  folder: string,
  isNeeded: (seq: number, run: number) => Promise<boolean>,
  now: number,
): Promise<void> {
  const runs = new Set<string>();
  for (const { name } of Deno.readDirSync(folder)) {
    const match = /^(\d+)\.(\d+)\./.exec(name);
    if (match) runs.add(`${match[1]}.${match[2]}`);
  }
  for (const name of runs) {
    const [seq, run] = name.split(".").map(Number);
    const files = `${folder}/${name}`;
    if (await isNeeded(seq, run)) continue;
    // A runner that was stopped for long must still find that its command was given up.
    if (readStatus(files)?.started === null && now - modifiedAt(`${files}.status`, now) < 86_400_000) {
      continue;
    }
    removeFiles(files);
  }
}

function removeKept(path: string): void {
  if (sizeOf(path) !== undefined) removeIfThere(path);
}

function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function sizeOf(path: string): number | undefined {
  return statIfThere(path)?.size;
}

/** When a file was last written; `ifGone` when it has been removed meanwhile. */
function modifiedAt(path: string, ifGone: number): number {
  return statIfThere(path)?.mtime?.getTime() ?? ifGone;
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
