/**
 * The lines of many jobs on one output, each with its job in front. A line is printed when it is whole, or when it has
 * waited for its end for a while: then it stays open, and goes on in its place as long as nobody else prints; else in a
 * new line. Where a line is drawn again (`50 %\r60 %`), a terminal gets its last state, and anything else every state as
 * a line.
 */

import { printable } from "../../base/printable.ts";
import type { OutputStream } from "../../store/store.ts";
import { createTerminalText, type TerminalText } from "./terminal_text.ts";

/** Milliseconds that a line waits for its end, so that it is printed within 300 ms and seldom in pieces. */
const patience = 100;
/** Characters of a line without an end that are printed at once. */
const longestLine = 64 * 1024;

/** The colours of jobs, by the numbers that terminals know them by; red is for what is wrong. */
const jobColours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

export interface LineTarget {
  isTerminal: boolean;
  print(text: string): Promise<void>;
}

/** Takes what one run prints. */
export interface LineSink {
  write(stream: OutputStream, text: string): Promise<void>;
  /** What is written next is of this run, which is that attempt. */
  begins?(run: number, attempt: number): void;
  /** Prints what has waited for the end of its line for long enough. */
  printOpen(): Promise<void>;
  /** Prints what is left, and ends its lines. */
  flush(): Promise<void>;
}

export interface LineOptions {
  /** Where an output goes; null for one that nobody has asked for. */
  targetOf: (stream: OutputStream) => OutputStream | null;
  colours: boolean;
  /** The time in milliseconds. */
  now?: () => number;
}

/** The line that is open on a target; both outputs may be the same terminal, and then have one. */
interface Place {
  writer: symbol | null;
}

/** Gives a {@link LineSink} for each run; they get the colours in turn. */
export function createLines(
  targets: Record<OutputStream, LineTarget>,
  { targetOf, colours, now = () => performance.now() }: LineOptions,
): { sinkOf(id: string): LineSink; endLine(target: OutputStream): Promise<void> } {
  const out: Place = { writer: null };
  const places: Record<OutputStream, Place> = {
    out,
    err: targets.out.isTerminal && targets.err.isTerminal ? out : { writer: null },
  };
  let count = 0;

  async function endLine(target: OutputStream): Promise<void> {
    if (places[target].writer === null) return;
    places[target].writer = null;
    await targets[target].print("\n");
  }

  function sinkOf(id: string): LineSink {
    const colour = jobColours[count++ % jobColours.length];
    const outputs = (["out", "err"] as const).flatMap((stream) => {
      const to = targetOf(stream);
      if (to === null) return [];
      const { isTerminal, print } = targets[to];
      const name = isTerminal && colours ? `\x1b[${colour}m${printable(id)}\x1b[0m` : printable(id);
      const text = createTerminalText({ colours, erasing: false });
      const writer = outputOf({ front: `${name} | `, isTerminal, print, text, place: places[to], now });
      return [{ stream, ...writer }];
    });
    return {
      async write(stream, text) {
        for (const output of outputs) if (output.stream === stream) await output.write(text);
      },
      async printOpen() {
        for (const output of outputs) await output.printOpen();
      },
      async flush() {
        for (const output of outputs) await output.flush();
      },
    };
  }

  return { sinkOf, endLine };
}

interface OutputOptions extends LineTarget {
  front: string;
  text: TerminalText;
  place: Place;
  now: () => number;
}

/** One output of one run. */
function outputOf({ front, isTerminal, print, text, place, now }: OutputOptions) {
  const self = Symbol();
  /** What was not printed yet of the last line, and since when. */
  let rest = "";
  let since = 0;
  /** The beginning of the last line was printed. */
  let isBegun = false;
  /** A carriage return has ended a line: a line feed behind it is the rest of that end. */
  let hasReturned = false;

  /** The whole lines of a text, and what is left of it. */
  function split(whole: string): string[] {
    if (isTerminal) return whole.split(/\r*\n/);
    const drawn = isBegun ? whole : whole.replace(/^\r+(?=[^\r\n])/, "");
    return drawn.replace(/\n\r+(?=[^\r\n])/g, "\n").replace(/\r+(?=[^\r\n])/g, "\n").split("\n");
  }

  /** A part of a line as it is printed, the last one with `ends`. */
  function part(line: string, ends: boolean): string {
    const goesOn = place.writer === self;
    const wasBegun = isBegun;
    isBegun = !ends;
    // The line was ended by somebody else.
    if (line === "" && wasBegun && !goesOn) return "";
    const before = goesOn ? "" : place.writer === null ? front : `\n${front}`;
    place.writer = ends ? null : self;
    const end = ends ? "\n" : "";
    if (!isTerminal) return before + line + end;
    const state = line.lastIndexOf("\r") + 1;
    // Also what is not shown any more may have set a colour.
    text(line.slice(0, state));
    const redraws = goesOn && state > 0;
    return (redraws ? `\r\x1b[K${front}` : before) + text(line.slice(state)) + end;
  }

  async function printRest(): Promise<void> {
    const line = rest.replace(/\r+$/, "");
    if (line === "") return;
    // On a terminal it is drawn again behind that.
    const returns = line.length < rest.length;
    rest = returns && isTerminal ? "\r" : "";
    hasReturned = returns && !isTerminal;
    await print(part(line, hasReturned));
  }

  return {
    async write(piece: string): Promise<void> {
      if (piece === "") return;
      if (rest === "" || rest === "\r") since = now();
      const lines = split(rest + (hasReturned ? piece.replace(/^\n/, "") : piece));
      hasReturned = false;
      rest = lines.pop()!;
      if (lines.length > 0) {
        since = now();
        await print(lines.map((line) => part(line, true)).join(""));
      }
      if (rest.length > longestLine || place.writer === self) await printRest();
    },
    async printOpen(): Promise<void> {
      if (now() - since >= patience) await printRest();
    },
    async flush(): Promise<void> {
      const line = rest.replace(/\r+$/, "");
      rest = "";
      if (line !== "" || isBegun) await print(part(line, true));
    },
  };
}
