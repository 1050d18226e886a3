/**
 * What a command prints as its reader's terminal is given it: colours, and whatever draws a line again from its
 * beginning; all else that a terminal obeys is made harmless. Pure but for what it keeps of the past.
 */

import { printableLines } from "../../base/printable.ts";

/** A colour (SGR), or the order to erase in the line: the tools that colour text have that beside it. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const sequence = /\x1b\[(?:([\d;:]{0,64})m|[012]?K)/g;
/** One that may go on in the next piece. */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const unfinished = /\x1b(?:\[[\d;:]{0,64})?$/;

/** Colours that are in force at a time: each names a part of how text looks, and there are few parts. */
const mostColours = 16;

/** What is let through beside text and line ends. */
export interface TerminalChoice {
  colours: boolean;
  erasing: boolean;
}

/** Takes the next piece of an output; gives it for the terminal, with its colours set at its beginning and taken back at its end. */
export type TerminalText = (piece: string) => string;

/** An output of which nothing was taken yet. Each piece can stand alone: whoever prints next, or is ended, is not coloured. */
export function createTerminalText({ colours, erasing }: TerminalChoice): TerminalText {
  let held = "";
  /** The colours since the last reset. */
  let inForce: string[] = [];

  return (piece) => {
    const whole = held + piece;
    held = unfinished.exec(whole)?.[0] ?? "";
    const text = whole.slice(0, whole.length - held.length);
    let shown = inForce.join("");
    let position = 0;
    for (const match of text.matchAll(sequence)) {
      shown += printableLines(text.slice(position, match.index));
      position = match.index + match[0].length;
      const colour = match[1];
      if (colour === undefined ? erasing : colours) shown += match[0];
      if (colour === undefined || !colours) continue;
      // "0", and nothing, takes back all colours; others may follow in the same sequence.
      if (/^0*(;|$)/.test(colour)) inForce = [];
      if (!/^0*$/.test(colour)) inForce = [...inForce, match[0]].slice(-mostColours);
    }
    shown += printableLines(text.slice(position));
    return text === "" ? "" : inForce.length > 0 ? `${shown}\x1b[0m` : shown;
  };
}

/** Whether a line is begun and not ended behind a piece; `before` where that has no text. */
export function isLineOpen(piece: string, before: boolean): boolean {
  const bare = piece.replace(sequence, "");
  return bare === "" ? before : !bare.endsWith("\n");
}
