/** What commands have printed: the output files of the spool, read with a bound, and cut while they grow. */

import { statIfThere } from "../files.ts";
import { boundedText, type Ends, lastBytes, partLength } from "./output.ts";

/** Bytes over the limit to which a file grows before it is cut. */
const cutAbove = 16 * 1024 ** 2;

export type Stream = "out" | "err";
export const streams: readonly Stream[] = ["out", "err"];

/** Whether the command's output could be opened: if not, it did not start. */
export function hasOutput(files: string): boolean {
  return statIfThere(`${files}.err`) !== undefined;
}

/** What a command has printed, bounded as {@link boundedText} says. */
export function readOutput(files: string, stream: Stream, limit: number): string {
  const path = `${files}.${stream}`;
  const size = statIfThere(path)?.size;
  if (size === undefined) return "";
  const kept = readKept(`${path}.kept`);
  return size === 0 && !kept ? "" : boundedText(readEnds(path, limit, kept), limit);
}

/** What a run has printed so far, bounded; null where its files are not in this spool, or not any more. */
export function readSpooled(files: string, limit: number): { output: string; errorOutput: string } | null {
  // The first that is made and removed: what was read while it was there is all of it.
  const isThere = () => statIfThere(`${files}.out`) !== undefined;
  if (!isThere()) return null;
  try {
    const outputs = readOutputs(files, limit);
    return isThere() ? outputs : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** What both streams of a run hold, bounded. */
export function readOutputs(files: string, limit: number): { output: string; errorOutput: string } {
  return { output: readOutput(files, "out", limit), errorOutput: readOutput(files, "err", limit) };
}

/**
 * Cuts what a command prints while it runs, so that the disk does not fill: a file that has outgrown the limit is
 * emptied (it is open for append), and its ends are kept beside it. What is printed in the moment between the last
 * look and the emptying is lost and not counted; a command that prints so much goes on, and overwrites that end.
 * Returns whether something was cut.
 */
export function cutOutput(files: string, limit: number): boolean {
  let cut = false;
  for (const stream of streams) {
    const path = `${files}.${stream}`;
    if ((statIfThere(path)?.size ?? 0) <= limit + cutAbove) continue;
    cut = true;
    const kept = readKept(`${path}.kept`);
    // First a copy, then the cut: a crash between them repeats some bytes, and loses none. Then the copy once more,
    // with what was printed while the first was written.
    writeKept(`${path}.kept`, readEnds(path, limit, kept));
    const ends = readEnds(path, limit, kept);
    Deno.truncateSync(path);
    writeKept(`${path}.kept`, ends);
  }
  return cut;
}

/** How many bytes a command has printed so far, with those that were cut off. */
export function printedLength(files: string, stream: Stream): number {
  const path = `${files}.${stream}`;
  const size = statIfThere(path)?.size ?? 0;
  const keptSize = statIfThere(`${path}.kept`)?.size;
  if (keptSize === undefined) return size;
  using file = Deno.openSync(`${path}.kept`);
  const { omitted, start } = readKeptLine(readAt(file, 0, 64));
  return size + omitted + keptSize - start;
}

/** Up to `length` bytes of what a command has printed, from `position` on, or from the next ones that are left. */
export function readPrinted(
  files: string,
  stream: Stream,
  position: number,
  length: number,
): { position: number; content: Uint8Array } {
  const path = `${files}.${stream}`;
  const kept = readKept(`${path}.kept`);
  if (kept) {
    const total = lengthOf(kept);
    const places = [{ from: 0, bytes: kept.head }, { from: total - kept.tail.length, bytes: kept.tail }];
    const place = places.find(({ from, bytes }) => position < from + bytes.length);
    if (place) {
      const start = Math.max(0, position - place.from);
      return { position: place.from + start, content: place.bytes.subarray(start, start + length) };
    }
    position = Math.max(position, total);
  }
  using file = Deno.openSync(path);
  return { position, content: readAt(file, position - (kept ? lengthOf(kept) : 0), length) };
}

const lengthOf = ({ head, omitted, tail }: Ends) => head.length + omitted + tail.length;

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
  const { headLength, omitted, start } = readKeptLine(bytes);
  const parts = bytes.subarray(start);
  return { head: parts.subarray(0, headLength), omitted, tail: parts.subarray(headLength) };
}

/** The numbers in the first line of what was kept, and where the bytes begin. */
function readKeptLine(bytes: Uint8Array): { headLength: number; omitted: number; start: number } {
  const lineEnd = bytes.indexOf(10);
  const [headLength, omitted] = new TextDecoder().decode(bytes.subarray(0, lineEnd)).split(" ").map(Number);
  return { headLength, omitted, start: lineEnd + 1 };
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
