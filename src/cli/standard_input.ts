/** Reading lines from standard input or a file, of any number and bounded length. */

import { QueuectlError } from "../base/errors.ts";
import { reasonOf } from "../base/files.ts";

/** Bytes that a line may have. */
const maxLineBytes = 1024 ** 2;
const lineFeed = 10;

/** A line that was read; `number` counts from 1. */
export interface Line {
  number: number;
  text: string;
}

/**
 * The lines of UTF-8 text, as many at once as there are in what was read, without a byte order mark at the beginning.
 * Throws `usage`, naming the line, for one that is longer than 1 MiB or not UTF-8.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let number = 1;
  let rest = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : concatenated(rest, chunk);
    const end = bytes.lastIndexOf(lineFeed);
    if (end >= 0) {
      for (const texts of textsOf(bytes.subarray(0, end), number)) {
        yield numbered(texts, number);
        number += texts.length;
      }
    }
    rest = bytes.slice(end + 1);
    checkLength(rest.length, number);
  }
  if (rest.length === 0) return;
  for (const texts of textsOf(rest, number)) yield numbered(texts, number);
}

function numbered(texts: string[], first: number): Line[] {
  return texts.map((text, index) => ({
    number: first + index,
    text: first + index === 1 ? text.replace(/^\uFEFF/, "") : text,
  }));
}

/** The texts of all lines at once, or one by one where one of them may be wrong: those before it come first. */
function* textsOf(bytes: Uint8Array, first: number): Generator<string[]> {
  const text = bytes.length <= maxLineBytes ? decoded(bytes) : undefined;
  if (text !== undefined) return yield text.split("\n");
  for (let start = 0, number = first; start <= bytes.length; number++) {
    const found = bytes.indexOf(lineFeed, start);
    const line = bytes.subarray(start, found < 0 ? bytes.length : found);
    checkLength(line.length, number);
    const text = decoded(line);
    if (text === undefined) {
      const problem = number === 1 && isUtf16(line)
        ? 'The text is UTF-16, which ">" of Windows PowerShell writes; save it as UTF-8'
        : "The text is not valid UTF-8";
      throw new QueuectlError("usage", `Line ${number}: ${problem}`);
    }
    yield [text];
    start += line.length + 1;
  }
}

/** Whether a text begins with the byte order mark of UTF-16. */
const isUtf16 = ([first, second]: Uint8Array) =>
  first === 0xff && second === 0xfe || first === 0xfe && second === 0xff;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined for what is not UTF-8. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

function checkLength(length: number, number: number): void {
  if (length > maxLineBytes) {
    throw new QueuectlError("usage", `Line ${number}: The line is longer than 1 MiB`);
  }
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** The chunks of standard input. Throws `usage` where it cannot be read, such as a folder. */
export async function* standardInput(): AsyncGenerator<Uint8Array> {
  const chunks = Deno.stdin.readable[Symbol.asyncIterator]();
  while (true) {
    const { done, value } = await chunks.next().catch((error) => {
      throw new QueuectlError("usage", `Standard input cannot be read: ${error.message}`, { cause: error });
    });
    if (done) return;
    yield value;
  }
}

/** The chunks of a file, and its size in bytes: 0 where that is not known. Throws `usage` where it cannot be read. */
export async function fileChunks(path: string): Promise<{ chunks: AsyncIterable<Uint8Array>; size: number }> {
  const explained = (error: Error) => {
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : reasonOf(error);
    return new QueuectlError("usage", `Cannot read ${path}: ${reason}`, { cause: error });
  };
  let file: Deno.FsFile;
  let info: Deno.FileInfo;
  try {
    file = await Deno.open(path);
    info = await file.stat();
  } catch (error) {
    throw explained(error as Error);
  }
  if (info.isDirectory) {
    file.close();
    throw explained(new Error("it is a folder"));
  }
  async function* chunks() {
    try {
      yield* file.readable;
    } catch (error) {
      throw explained(error as Error);
    }
  }
  return { chunks: chunks(), size: info.size };
}
