/** Writing to standard output and standard error, whole and in order, and knowing when nobody reads any more. */

import { printable } from "../../base/printable.ts";

/** Standard output took no more: `closed` when its reader is gone (`| head`), which is nobody's mistake. */
export class OutputError extends Error {
  readonly closed: boolean;

  constructor(cause: Error) {
    super(`Cannot write to standard output: ${cause.message}`, { cause });
    this.closed = cause instanceof Deno.errors.BrokenPipe;
  }
}

/** Characters that are collected before they are written: a line a write would be slow. */
const bufferLength = 65_536;

/** Writes text to standard output. Throws {@link OutputError}. */
export async function print(text: string): Promise<void> {
  try {
    await write(Deno.stdout, text);
  } catch (error) {
    throw new OutputError(error as Error);
  }
}

/** Writes what a job prints to standard error, without keeping anything else from going on; as {@link printError}. */
export async function passOnError(text: string): Promise<void> {
  try {
    await write(Deno.stderr, text);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function write(stream: Pick<typeof Deno.stdout, "write">, text: string): Promise<void> {
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    try {
      bytes = bytes.subarray(await stream.write(bytes));
    } catch (error) {
      // A pipe or terminal that another program has made non-blocking is full: it is read in a moment.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/**
 * Writes lines of text to standard output, without anything that a terminal would obey: what all commands say that is no
 * table and no JSON goes this way, because ids, names and places are in it.
 */
export async function printLines(...lines: readonly string[]): Promise<void> {
  await print(lines.map((line) => `${printable(line)}\n`).join(""));
}

/** A line for each id: as it is for another program, and as it can be printed for a terminal. */
export function* idLines(ids: Iterable<string>): Generator<string> {
  const isTerminal = Deno.stdout.isTerminal();
  for (const id of ids) yield `${isTerminal ? printable(id) : id}\n`;
}

/** Writes data to standard error, whole; nobody who reads it any more is no mistake. */
export function printError(text: string): void {
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    try {
      bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      // As above; what is printed next must not come before it.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Writes pieces of text to standard output as they come, without ever holding all of them. */
export async function printAll(pieces: Iterable<string> | AsyncIterable<string>): Promise<void> {
  let collected = "";
  for await (const piece of pieces) {
    collected += piece;
    if (collected.length < bufferLength) continue;
    await print(collected);
    collected = "";
  }
  await print(collected);
}

/** Writes a message to standard error: lines of text without anything that a terminal would obey. */
export function printMessage(message: string): void {
  // Whoever has closed standard error does not want to read it, and there is no other place to say it.
  printError(message.split("\n").map(printable).join("\n") + "\n");
}
