/** What is said on Windows where a shell there has not passed on what was typed. Pure. */

const json = String.raw`"{\"command\": \"echo hello\"}"`;

/** How JSON is typed in the shells of Windows. */
export const jsonHint =
  `If its quotes were lost on the way: cmd.exe takes ${json}, PowerShell the same behind --%: ` +
  `queuectl enqueue --% ${json}`;

/**
 * What was wrong with the quotes of these arguments, as they came; undefined where nothing is seen. `cmd.exe` passes single
 * quotes on; PowerShell before 7.3 loses double quotes within single ones, and any PowerShell takes \" as the end of a text.
 */
export function lostQuotes(args: readonly string[], verb: string): string | undefined {
  const [first] = args;
  if (first === undefined) return undefined;
  if (/^'?\{\W*\w+\W*:/.test(args.join(" ")) && (args.length > 1 || first.startsWith("'"))) {
    return first.startsWith("'")
      ? `cmd.exe does not know single quotes. Type queuectl ${verb} ${json}`
      : `The quotes of the JSON were lost on the way. Type queuectl ${verb} ${json} in cmd.exe, ` +
        `queuectl ${verb} --% ${json} in PowerShell`;
  }
  if (!first.startsWith("'") || !args.at(-1)!.endsWith("'")) return undefined;
  return "cmd.exe does not know single quotes: put the command into double ones, or put -- before it: " +
    `queuectl ${verb} -- COMMAND ARGUMENTS`;
}
