/**
 * The lines that managers and workers print: the original program's, on standard output, and what is told once, on standard
 * error. Nobody waits for them: an output may be a pipe that nobody reads, or a terminal that was halted.
 */

import { printable } from "../../base/printable.ts";
import { delay } from "../../base/delay.ts";

/** Milliseconds for which lines are collected: a write for each turn of a busy worker would cost as much as the turn. */
const pause = 5;
/** Characters that wait to be written; what comes then is left out until all of them are. */
const longestQueue = 256 * 1024;
/** Characters that are written at once: a pipe takes so many bytes as a whole (PIPE_BUF), other processes print to it too. */
const pieceLength = 4096;
/** Milliseconds for which the end of a process waits for an output that takes nothing. */
const patience = 2000;

/** An output that is written to behind everybody's back. */
export interface LogOutput {
  print(lines: readonly string[]): void;
  /** Resolves when all of it is written, or when the output takes nothing more. */
  flush(): Promise<void>;
}

/** Prints to a stream; what it does not take is counted, and told when it does again. */
export function createLogOutput(stream: Pick<typeof Deno.stdout, "write">): LogOutput {
  const lines: string[] = [];
  let length = 0;
  let isFull = false;
  let leftOut = 0;
  let written = 0;
  let flushing = new AbortController();
  let writing: Promise<void> | undefined;

  async function write(text: string): Promise<void> {
    for (let bytes = new TextEncoder().encode(text); bytes.length > 0; written++) {
      try {
        bytes = bytes.subarray(await stream.write(bytes));
      } catch (error) {
        // A pipe that another program has made non-blocking is full.
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await delay(pause);
      }
    }
  }

  /** Writes a piece; what the output refuses for good (its reader has gone, a full disk) is left out. */
  async function writePiece(): Promise<void> {
    const told = isFull ? 0 : leftOut;
    let text = told > 0 ? `${leftOutWords(told)}\n` : "";
    let count = 0;
    for (; lines.length > 0 && (text === "" || text.length + lines[0].length <= pieceLength); count++) {
      length -= lines[0].length;
      text += lines.shift();
    }
    leftOut -= told;
    try {
      await write(text);
    } catch {
      leftOut += told + count;
    }
  }

  async function writeAll(): Promise<void> {
    await delay(pause, flushing.signal);
    while (lines.length > 0 || isFull) {
      if (lines.length === 0) isFull = false;
      await writePiece();
    }
    writing = undefined;
  }

  return {
    print(texts) {
      isFull ||= length > longestQueue;
      if (isFull) leftOut += texts.length;
      else {
        const printed = texts.map((text) => `${printable(text)}\n`);
        lines.push(...printed);
        length += printed.reduce((sum, line) => sum + line.length, 0);
      }
      writing ??= writeAll();
    },
    async flush() {
      flushing.abort();
      for (let before = -1; writing && written !== before;) {
        before = written;
        const waiting = new AbortController();
        await Promise.race([writing, delay(patience, waiting.signal)]);
        waiting.abort();
      }
      flushing = new AbortController();
    },
  };
}

const leftOutWords = (lines: number) =>
  `queuectl: ${lines} ${lines === 1 ? "line" : "lines"} of the log of process ${Deno.pid} left out here: ` +
  "the output did not take them";

const [output, errorOutput] = [createLogOutput(Deno.stdout), createLogOutput(Deno.stderr)];

/** Prints lines on standard output, without anything that a terminal would obey, soon and in their order. */
export const print = (lines: readonly string[]): void => output.print(lines);

/** The same on standard error, of what is told once. */
export const printMessage = (message: string): void => errorOutput.print(message.split("\n"));

/** Resolves when all that was printed is written, or nobody takes it: to be waited for before the process ends. */
export async function flushLog(): Promise<void> {
  await Promise.all([output.flush(), errorOutput.flush()]);
}

/** `[HH:MM:SS] Worker-N: text`, in local time. */
export function workerLine(number: number, text: string, now = new Date()): string {
  return `[${now.toTimeString().slice(0, 8)}] Worker-${number}: ${text}`;
}
