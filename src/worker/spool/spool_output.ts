/** What commands have printed: the output files of the spool, read with a bound, and cut while they grow. */

import { removeIfThere, statIfThere } from "../../base/files.ts";
import { boundedText, type Ends, lastBytes, partLength } from "./output.ts";
import { concatenate, utf8Decoder } from "./output_text.ts";

/** Bytes over the limit to which a file grows before it is cut, and those to which it does while somebody reads it. */
const [cutAbove, cutReadAbove] = [16 * 1024 ** 2, 256 * 1024 ** 2];

export type Stream = "out" | "err";
export const streams: readonly Stream[] = ["out", "err"];

/** Whether the command's output could be opened: if not, it did not start. */
export function hasOutput(files: string): boolean {
  return statIfThere(`${files}.err`) !== undefined;
}

/** Bytes of both outputs as they are on the disk, without what is kept of those that were cut. */
export const spooledLength = (files: string): number =>
  streams.reduce((sum, stream) => sum + freshLength(`${files}.${stream}`), 0);

/** Whether the command has printed anything. */
export const hasPrinted = (files: string): boolean =>
  streams.some((stream) => printedLength(files, stream) > 0);

/** What a command has printed, bounded as {@link boundedText} says. */
export function readOutput(files: string, stream: Stream, limit: number, decoder = utf8Decoder): string {
  const path = `${files}.${stream}`;
  const size = statIfThere(path)?.size;
  if (size === undefined) return "";
  const kept = readKept(`${path}.kept`);
  return size === 0 && !kept ? "" : boundedText(readEnds(path, limit, kept), limit, decoder);
}

/** What a run has printed so far, bounded; null where its files are not in this spool, or not any more. */
export function readSpooled(
  files: string,
  limit: number,
  decoder = utf8Decoder,
): { output: string; errorOutput: string } | null {
  // The first that is made and removed: what was read while it was there is all of it.
  const isThere = () => statIfThere(`${files}.out`) !== undefined;
  if (!isThere()) return null;
  try {
    const outputs = readOutputs(files, limit, decoder);
    return isThere() ? outputs : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** What both streams of a run hold, bounded. */
export function readOutputs(
  files: string,
  limit: number,
  decoder = utf8Decoder,
): { output: string; errorOutput: string } {
  return {
    output: readOutput(files, "out", limit, decoder),
    errorOutput: readOutput(files, "err", limit, decoder),
  };
}

/**
 * Cuts what a command prints while it runs, so that the disk does not fill: of a file that has outgrown the limit the ends
 * are kept beside it, and the disk space of all of it is given back by `free`. What `isRead` tells to be read is cut much
 * later, and its last bytes stay. Where space cannot be given back in the middle of a file, that is emptied (it is open for
 * append): what is printed in the moment between the last look and that is lost and not counted. Returns whether something
 * was cut.
 */
export function cutOutput(files: string, limit: number, isRead = () => false, free = freeStart): boolean {
  let cut = false;
  for (const stream of streams) {
    const path = `${files}.${stream}`;
    if ((statIfThere(path)?.size ?? 0) <= limit + cutAbove) continue;
    const length = freshLength(path);
    if (length <= limit + cutAbove) continue;
    const read = isRead();
    if (read && length <= limit + cutReadAbove) continue;
    cut = true;
    const end = Deno.statSync(path).size - (read ? cutReadAbove / 2 : 0);
    // First a copy, then the cut: a crash between them loses nothing, and whoever reads finds each byte once.
    writeKept(`${path}.kept`, readEnds(path, limit, readKept(`${path}.kept`), end), end);
    if (!free(path, end)) empty(path, limit);
  }
  return cut;
}

/** Gives back the disk space of the first bytes of a file, whose length stays; false where that is not possible. */
function freeStart(path: string, length: number): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const args = ["--punch-hole", "--offset", "0", "--length", `${length}`, path];
    return new Deno.Command("fallocate", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Looks at what a command prints while its output is kept and emptied; more often than any needs. */
const mostLooks = 100;

/** Empties a file of which all but the last bytes are kept already; those come to them. */
function empty(path: string, limit: number): void {
  const kept = readKept(`${path}.kept`)!;
  const length = partLength(limit);
  using file = Deno.openSync(path, { read: true, write: true });
  const parts: Uint8Array[] = [];
  let end = kept.base;
  for (let look = 0, size; look < mostLooks && (size = file.statSync().size) > end; look++) {
    const from = Math.max(end, size - length);
    parts.push(readAt(file, from, size - from));
    end = size;
  }
  file.truncateSync();
  const fresh = parts.reduce(concatenate, new Uint8Array());
  writeKept(`${path}.kept`, longer(kept, end - kept.base, fresh, length), 0);
}

/**
 * Shortens the files of a run that has ended to the texts that are kept of them. In place, because that needs no room on a full
 * disk: whenever it is interrupted, a file begins and ends as it did.
 */
export function shortenOutputs(files: string, texts: { output: string; errorOutput: string }): void {
  for (const stream of streams) {
    const text = new TextEncoder().encode(stream === "out" ? texts.output : texts.errorOutput);
    const path = `${files}.${stream}`;
    if ((statIfThere(path)?.size ?? 0) <= text.length) continue;
    using file = Deno.openSync(path, { write: true });
    // At the beginning of one that was cut there is no room, until the rest gives it back.
    if (statIfThere(`${path}.kept`)) file.truncateSync();
    writeAll(file, text);
    file.truncateSync(text.length);
    removeIfThere(`${path}.kept`);
  }
}

/** How many bytes a command has printed so far, with those that were cut off. */
export function printedLength(files: string, stream: Stream): number {
  const path = `${files}.${stream}`;
  return (readKeptNumbers(`${path}.kept`)?.total ?? 0) + freshLength(path);
}

/** Bytes of an output that are in its file alone. */
function freshLength(path: string): number {
  const size = statIfThere(path)?.size ?? 0;
  return size - baseIn(size, readKeptNumbers(`${path}.kept`)?.base);
}

/**
 * Up to `length` bytes of what a command has printed, from `position` on, or from the next ones that are left; null in the
 * moment in which it is cut.
 */
export function readPrinted(
  files: string,
  stream: Stream,
  position: number,
  length: number,
): { position: number; content: Uint8Array } | null {
  const path = `${files}.${stream}`;
  const kept = readKeptNumbers(`${path}.kept`);
  const { headLength = 0, tailFrom = 0, total = 0, base = 0, start = 0 } = kept ?? {};
  if (kept && position >= headLength && position < tailFrom) position = tailFrom;
  const from = position < headLength ? position : position - tailFrom + headLength;
  const end = position < headLength ? headLength : headLength + total - tailFrom;
  using file = Deno.openSync(position < total ? `${path}.kept` : path);
  const content = position < total
    ? readAt(file, start + from, Math.min(length, end - from))
    : readAt(file, base + position - total, length);
  // A file that was emptied is shorter than what is kept of it says.
  const isSame = readKeptNumbers(`${path}.kept`)?.line === kept?.line;
  return isSame && Deno.statSync(path).size >= base ? { position, content } : null;
}

/** What was kept of an output, and where in its file the bytes begin that follow. */
type Kept = Ends & { base: number };

/** Where in a file of this size the bytes begin that are not kept: it was emptied where it is shorter than it was. */
const baseIn = (size: number, base = 0) => size < base ? 0 : base;

/** Both ends of what was printed to a file, up to `end`, with what was kept of earlier cuts. */
function readEnds(path: string, limit: number, kept: Kept | undefined, end?: number): Ends {
  const length = partLength(limit);
  using file = Deno.openSync(path);
  const size = file.statSync().size;
  const [from, to] = [baseIn(size, kept?.base), end ?? size];
  const lastOf = (most: number) => readAt(file, Math.max(from, to - most), Math.min(to - from, most));
  if (kept) return longer(kept, to - from, lastOf(length), length);
  if (to <= limit) return { head: readAt(file, 0, to), omitted: 0, tail: new Uint8Array() };
  return { head: readAt(file, 0, length), omitted: to - 2 * length, tail: lastOf(length) };
}

/** The ends of an output after more bytes were printed, the last of them `fresh`; `length` is of the last part. */
function longer({ head, omitted, tail }: Ends, bytes: number, fresh: Uint8Array, length: number): Ends {
  const last = lastBytes(tail, fresh, length);
  return { head, omitted: omitted + tail.length + bytes - last.length, tail: last };
}

function writeKept(path: string, { head, omitted, tail }: Ends, base: number): void {
  const numbers = new TextEncoder().encode(`${head.length} ${omitted} ${base}\n`);
  {
    using file = Deno.openSync(`${path}.new`, { write: true, create: true, truncate: true });
    for (const part of [numbers, head, tail]) writeAll(file, part);
  }
  Deno.renameSync(`${path}.new`, path);
}

function readKept(path: string): Kept | undefined {
  const numbers = readKeptNumbers(path);
  if (!numbers) return undefined;
  const { start, headLength, omitted, base } = numbers;
  const parts = Deno.readFileSync(path).subarray(start);
  return { head: parts.subarray(0, headLength), omitted, tail: parts.subarray(headLength), base };
}

/** What the first line of what was kept says, with the length of the rest: `total` bytes were printed before `base`. */
function readKeptNumbers(path: string) {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using _closed = file;
  const bytes = readAt(file, 0, 64);
  const line = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(10)));
  const [headLength, omitted, base = 0] = line.split(" ").map(Number);
  const start = line.length + 1;
  const total = omitted + file.statSync().size - start;
  return { line, headLength, omitted, base, start, total, tailFrom: headLength + omitted };
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
