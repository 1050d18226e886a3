/** Where followed output goes: as it is, or a line each with its job in front. */

import { printable, printableLines } from "../../printable.ts";
import type { OutputStream } from "../../store/store.ts";
import { print, printError, printMessage } from "../standard_streams.ts";
import type { Sink } from "./follow_job.ts";

/** Which outputs of a job are asked for; one alone goes to standard output. */
export interface StreamChoice {
  stdout?: boolean;
  stderr?: boolean;
}

/** Characters of a line without an end after which it is printed all the same. */
const longestLine = 64 * 1024;

/** Whether an output is asked for. */
export const isChosen = (stream: OutputStream, choice: StreamChoice): boolean =>
  targetOf(stream, choice) !== null;

/** Where an output goes; null for one that is not asked for. */
function targetOf(stream: OutputStream, { stdout, stderr }: StreamChoice): OutputStream | null {
  if (stderr) return stream === "err" ? "out" : null;
  return stdout && stream === "err" ? null : stream;
}

const isTerminal = (target: OutputStream) => (target === "out" ? Deno.stdout : Deno.stderr).isTerminal();

const printTo = async (target: OutputStream, text: string) =>
  target === "out" ? await print(text) : printError(text);

/** Prints what a job prints as it is, each output to its own; what a terminal would obey is made harmless there. */
export function plainSink(choice: StreamChoice): Sink {
  const terminals = { out: isTerminal("out"), err: isTerminal("err") };
  /** A carriage return at the end of what came may be half of a line end. */
  const held = { out: "", err: "" };
  let isLineOpen = false;
  return {
    async write(stream, text) {
      const target = targetOf(stream, choice);
      if (target === null) return;
      if (terminals[target]) {
        const whole = held[stream] + text;
        held[stream] = whole.endsWith("\r") ? "\r" : "";
        text = printableLines(whole.slice(0, whole.length - held[stream].length));
        if (text === "") return;
        isLineOpen = !text.endsWith("\n");
      }
      await printTo(target, text);
    },
    say(message) {
      // A message begins on a line of its own.
      if (isLineOpen && terminals.err) printError("\n");
      isLineOpen = false;
      printMessage(message);
    },
  };
}

/** The colours of jobs, by the numbers that terminals know them by; red is for what is wrong. */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Prints whole lines of one job. */
export interface LineSink {
  write(stream: OutputStream, text: string): Promise<void>;
  /** What is written next is of this run, which is that attempt. */
  begins?(run: number, attempt: number): void;
  /** Prints what is left of lines without an end. */
  flush(): Promise<void>;
}

/** Prints what comes in any pieces as whole lines, one or more at once. */
export function wholeLines(
  print: (stream: OutputStream, text: string) => Promise<void>,
): Pick<LineSink, "write" | "flush"> {
  const rests = { out: "", err: "" };
  const printAny = async (stream: OutputStream, text: string) => {
    if (text !== "") await print(stream, text);
  };
  return {
    async write(stream, text) {
      const whole = rests[stream] + text;
      const end = whole.length - whole.lastIndexOf("\n") > longestLine
        ? whole.length
        : whole.lastIndexOf("\n") + 1;
      rests[stream] = whole.slice(end);
      await printAny(stream, whole.slice(0, end));
    },
    async flush() {
      for (const stream of ["out", "err"] as const) {
        const rest = rests[stream];
        rests[stream] = "";
        await printAny(stream, rest);
      }
    },
  };
}

/** Gives a {@link LineSink} for each job, with its id in front, in a colour on a terminal; jobs get the colours in turn. */
export function lineSinks(choice: StreamChoice, noColour: boolean): (id: string) => LineSink {
  let count = 0;
  return (id) => {
    const colour = colours[count++ % colours.length];
    return wholeLines(async (stream, text) => {
      const target = targetOf(stream, choice);
      if (target === null) return;
      const name = noColour || !isTerminal(target) ? printable(id) : `\x1b[${colour}m${printable(id)}\x1b[0m`;
      const shown = isTerminal(target) ? printableLines(text) : text;
      await printTo(
        target,
        shown.replace(/\n$/, "").split("\n").map((line) => `${name} | ${line}\n`).join(""),
      );
    });
  };
}
