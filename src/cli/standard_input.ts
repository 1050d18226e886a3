/** Reading lines from standard input, of any number and bounded length. */

import { QueuectlError } from "../errors.ts";

/** Bytes that a line may have. */
const maxLineBytes = 1024 ** 2;
const lineFeed = 10;

/** A line that was read; `number` counts from 1. */
export interface Line {
  number: number;
  text: string;
}

/**
 * The lines of UTF-8 text, one at a time, without a byte order mark at the beginning. Throws `usage`, naming the line,
 * for one that is longer than 1 MiB or not UTF-8.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 1;
  let rest = new Uint8Array();

  const line = (bytes: Uint8Array): Line => {
    checkLength(bytes.length, number);
    try {
      const text = decoder.decode(bytes);
      return { text: number === 1 ? text.replace(/^\uFEFF/, "") : text, number: number++ };
    } catch (error) {
      throw new QueuectlError("usage", `Line ${number}: The text is not valid UTF-8`, { cause: error });
    }
  };

  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : concatenated(rest, chunk);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed, rest.length); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      yield line(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.slice(start);
    checkLength(rest.length, number);
  }
  if (rest.length > 0) yield line(rest);
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
