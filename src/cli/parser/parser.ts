/** Every command line that is not one plain `enqueue`: parsed, with help and the words for mistakes. */

import { buildApplication, run } from "@stricli/core";
import { exitStatus, QueuectlError } from "../../base/errors.ts";
import type { Context } from "../context.ts";
import { explain, statusOf } from "./failures.ts";
import type { CommandLine } from "./global_flags.ts";
import { helpFlag, versionFlag } from "./help.ts";
import { routes } from "../routes/table.ts";
import { writtenOut } from "./short_forms.ts";
import { print, printMessage } from "../output/standard_streams.ts";
import type { UnknownWord } from "./suggestions.ts";
import { usageText } from "./usage_text.ts";

/** Runs the command that the arguments name; returns the exit status of the program. */
export async function parseAndRun({ args: given, db, allowed }: CommandLine): Promise<number> {
  const args = writtenOut(given);
  let path = ["queuectl"];
  const separator = args.indexOf("--");
  const behindSeparator = separator < 0 ? undefined : args.slice(separator + 1);
  const app = buildApplication(routes, {
    name: "queuectl",
    // "--" ends the flags, so that an id which begins with "-" can be given.
    scanner: { allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true },
    localization: { text: usageText(explain, () => `${path.join(" ")} --help`, tellUnknown) },
    determineExitCode: statusOf,
  }, { help: helpFlag, version: versionFlag });

  const output: string[] = [];
  const errors: string[] = [];
  // The parser reports every mistake it finds; the first is enough to go on with.
  let unknown: UnknownWord | undefined;
  function tellUnknown(what: UnknownWord["what"], word: string): void {
    if (errors.length === 0) unknown = { what, word };
  }
  const process: Context["process"] = {
    stdout: { write: (text: string) => void output.push(text) },
    stderr: { write: (text: string) => void errors.push(text.trimEnd()) },
    exitCode: null,
  };
  // That of a job may be one of the parser's own.
  const ofCommand: Context["process"] = { ...process };
  await run(app, args, {
    process,
    forCommand: ({ prefix }) => {
      path = [...prefix];
      return { process: ofCommand, db, allowed, behindSeparator };
    },
  });
  await print(output.join(""));
  if (unknown !== undefined) errors[0] = await unknownText(args, unknown);
  if (errors.length > 0 && errors[0] !== "") printMessage(errors[0]);
  return ofCommand.exitCode === null
    ? exitStatusOfParser(Number(process.exitCode))
    : Number(ofCommand.exitCode);
}

async function unknownText(args: readonly string[], unknown: UnknownWord): Promise<string> {
  const words = await import("./suggestions.ts");
  return words.unknownText(routes, args, unknown);
}

/** The parser has negative numbers of its own; -5 and -4 are a command line that was not understood. */
function exitStatusOfParser(code: number): number {
  if (code >= 0) return code;
  return code === -5 || code === -4 ? exitStatus(new QueuectlError("usage", "")) : 1;
}
