/** Making tables fit the terminal. What goes into a pipe or a file is left as it is. */

import { cutEnd } from "./output.ts";

/** The columns of the terminal that standard output is; undefined where it is none. */
export function terminalWidth(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  // Some have no size.
  const { columns } = Deno.consoleSize();
  return columns > 0 ? columns : undefined;
}

/** Lines, each with its line break, cut to the width where there is one. */
export async function* fitting(
  lines: Iterable<string> | AsyncIterable<string>,
  width = terminalWidth(),
): AsyncGenerator<string> {
  for await (const line of lines) {
    const text = line.trimEnd();
    if (width === undefined || text.length <= width) yield line;
    else yield `${/^-+$/.test(text) ? text.slice(0, width) : cutEnd(text, width)}\n`;
  }
}
