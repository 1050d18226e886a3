/** Where followed output goes: as it is, or a line each with its job in front. */

import type { OutputStream } from "../../store/store.ts";
import { passOnError, print, printError, printMessage } from "../output/standard_streams.ts";
import type { AllSinks } from "./follow_all.ts";
import type { Sink } from "./follow_job.ts";
import { createLines, type LineTarget } from "./job_lines.ts";
import { createTerminalText, isLineOpen } from "./terminal_text.ts";

/** Which outputs of a job are asked for; one alone goes to standard output. */
export interface StreamChoice {
  stdout?: boolean;
  stderr?: boolean;
}

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
  await (target === "out" ? print(text) : passOnError(text));

const wantsColours = () => (Deno.env.get("NO_COLOR") ?? "") === "";

/** Prints what a job prints as it is, each output to its own; a terminal gets no more than colours and lines drawn again. */
export function plainSink(choice: StreamChoice): Sink {
  const terminals = { out: isTerminal("out"), err: isTerminal("err") };
  const shown = { colours: wantsColours(), erasing: true };
  const texts = { out: createTerminalText(shown), err: createTerminalText(shown) };
  let isOpen = false;
  return {
    async write(stream, text) {
      const target = targetOf(stream, choice);
      if (target === null) return;
      if (terminals[target]) {
        isOpen = isLineOpen(text, isOpen);
        text = texts[stream](text);
      }
      await printTo(target, text);
    },
    say(message) {
      // A message begins on a line of its own.
      if (isOpen && terminals.err) printError("\n");
      isOpen = false;
      printMessage(message);
    },
  };
}

/** Prints lines with their job in front, in a colour of its own on a terminal. */
export function lineSinks(choice: StreamChoice): AllSinks {
  const target = (to: OutputStream): LineTarget => ({
    isTerminal: isTerminal(to),
    print: (text) => printTo(to, text),
  });
  const targets = { out: target("out"), err: target("err") };
  const lines = createLines(targets, {
    targetOf: (stream) => targetOf(stream, choice),
    colours: wantsColours(),
  });
  return {
    sinkOf: lines.sinkOf,
    async say(message) {
      await lines.endLine("err");
      printMessage(message);
    },
  };
}
