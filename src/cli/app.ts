/** The command line: arguments → command → exit status. The only place where an error becomes a message. */

import { buildApplication, run } from "@stricli/core";
import { exitStatus, QueuectlError } from "../errors.ts";
import type { Context } from "./context.ts";
import { type CommandLine, readGlobalFlags } from "./global_flags.ts";
import { helpFlag, versionFlag } from "./help.ts";
import { cutEnd } from "./output.ts";
import { printable } from "../printable.ts";
import { routes } from "./routes.ts";
import { OutputError, print, printMessage } from "./standard_streams.ts";
import { usageText } from "./usage_text.ts";

/** Characters of an error message: it may quote what was given, which may be a megabyte. */
const maxMessageLength = 1000;

/** Runs the command that the arguments name and returns the exit status of the program. */
export async function runCommandLine(given: readonly string[]): Promise<number> {
  try {
    return await runCommand(readGlobalFlags(given));
  } catch (error) {
    const message = explain(error);
    if (message !== "") printMessage(message);
    return statusOf(error);
  }
}

async function runCommand({ args, db, allowSharedDb }: CommandLine): Promise<number> {
  let path = ["queuectl"];
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
    localization: { text: usageText(explain, helpFor) },
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
      return { process, db, allowSharedDb };
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

function statusOf(thrown: unknown): number {
  const error = firstError(thrown);
  return error instanceof OutputError && error.closed ? 0 : exitStatus(error);
}

// A failure often makes the clean-up after it fail too (a full disk does); the first one is what has to be told.
function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}

/** One line for what a user can meet, nothing where the reader of the output has gone, the stack for a bug. */
function explain(thrown: unknown): string {
  const error = firstError(thrown);
  if (error instanceof OutputError) return error.closed ? "" : error.message;
  if (error instanceof QueuectlError) return cutEnd(printable(error.message), maxMessageLength);
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
