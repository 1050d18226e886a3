/** Every command line that is not one plain `enqueue`: parsed, with help and the words for mistakes. */

import { buildApplication, run } from "@stricli/core";
import { exitStatus, QueuectlError } from "../errors.ts";
import { commandHint } from "./command_hint.ts";
import type { Context } from "./context.ts";
import { explain, statusOf } from "./failures.ts";
import type { CommandLine } from "./global_flags.ts";
import { helpFlag, versionFlag } from "./help.ts";
import { routes } from "./routes.ts";
import { writtenOut } from "./short_forms.ts";
import { print, printMessage } from "./standard_streams.ts";
import { usageText } from "./usage_text.ts";

/** Runs the command that the arguments name; returns the exit status of the program. */
export async function parseAndRun({ args: given, db, allowSharedDb }: CommandLine): Promise<number> {
  const args = writtenOut(given);
  let path = ["queuectl"];
  const separator = args.indexOf("--");
  const behindSeparator = separator < 0 ? undefined : args.slice(separator + 1);
  const helpFor = (unknownWord?: string) =>
    [
      ...(unknownWord === undefined ? path : ["queuectl", ...args.slice(0, args.indexOf(unknownWord))]),
      "--help",
    ].join(" ");
  const app = buildApplication(routes, {
    name: "queuectl",
    // "--" ends the flags, so that an id which begins with "-" can be given; a correction is offered for near words only.
    scanner: {
      allowArgumentEscapeSequence: true,
      distanceOptions: {
        threshold: 4,
        weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
      },
    },
    documentation: { disableAnsiColor: true },
    localization: { text: usageText(explain, helpFor, commandHint(args)) },
    determineExitCode: statusOf,
  }, { help: helpFlag, version: versionFlag });

  const output: string[] = [];
  const errors: string[] = [];
  const process: Context["process"] = {
    stdout: { write: (text: string) => void output.push(text) },
    stderr: { write: (text: string) => void errors.push(text.trimEnd()) },
    exitCode: null,
  };
  await run(app, args, {
    process,
    forCommand: ({ prefix }) => {
      path = [...prefix];
      return { process, db, allowSharedDb, behindSeparator };
    },
  });
  await print(output.join(""));
  // The parser reports every mistake it finds; the first is enough to go on with.
  if (errors.length > 0 && errors[0] !== "") printMessage(errors[0]);
  return exitStatusOfParser(Number(process.exitCode));
}

/** The parser has negative numbers of its own; -5 and -4 are a command line that was not understood. */
function exitStatusOfParser(code: number): number {
  if (code >= 0) return code;
  return code === -5 || code === -4 ? exitStatus(new QueuectlError("usage", "")) : 1;
}
