/** What a command line of `enqueue` describes: a job in one of several forms, or many of them. Pure. */

import { QueuectlError } from "../../base/errors.ts";
import { lostQuotes } from "./windows_quotes.ts";

export type EnqueueForm =
  /** One JSON object. */
  | { kind: "json"; text: string }
  /** A command for the shell. */
  | { kind: "shell"; text: string }
  /** A program and its arguments, as they are. */
  | { kind: "words"; words: readonly string[] }
  /** A job a line: of a file, or of standard input where it is null. */
  | { kind: "lines"; file: string | null };

/** Names of standard input; the second one is a file that Deno does not let us open. */
const standardInputs = ["-", "/dev/stdin"];

/**
 * The form of these arguments of `verb`; `behind` are those behind a `--`, undefined without one, and `args` all of them. Throws
 * `usage` where there is none, or more than one.
 */
export function formOf(
  args: readonly string[],
  behind: readonly string[] | undefined,
  file: string | undefined,
  verb: "enqueue" | "run" = "enqueue",
  os: string = Deno.build.os,
): EnqueueForm {
  const before = args.slice(0, args.length - (behind?.length ?? 0));
  if (Number(before.length > 0) + Number(behind !== undefined) + Number(file !== undefined) > 1) {
    throw usage("Only one of a command, a command behind --, and --file can be given");
  }
  if (file !== undefined) return { kind: "lines", file: standardInputs.includes(file) ? null : file };
  const lost = os === "windows" ? lostQuotes(args, verb) : undefined;
  if (lost !== undefined) throw usage(lost);
  if (behind !== undefined) {
    const isJson = behind.length === 1 && kindOfText(behind[0]) === "json";
    if (isJson) return { kind: "json", text: behind[0] };
    for (const word of behind) refuseChanged("An argument", word);
    return { kind: "words", words: behind };
  }
  if (before.length === 0) {
    throw usage(
      `Give a command to run, in quotes or behind --: queuectl ${verb} -- COMMAND ARGUMENTS. ` +
        `Run queuectl ${verb} --help`,
    );
  }
  if (before.length > 1) {
    throw usage(`Unexpected argument "${before[1]}": ${separatorHint(verb)}`);
  }
  if (before[0] === "-") return { kind: "lines", file: null };
  const kind = kindOfText(before[0]);
  if (kind === "shell") refuseChanged("The command", before[0]);
  return { kind, text: before[0] };
}

/** Whether a text is the JSON of a job or a command for the shell. Throws `usage` for a JSON array, and for no text. */
export function kindOfText(text: string): "json" | "shell" {
  const start = text.trimStart()[0];
  if (start === undefined) throw usage("The command is empty");
  if (start === "[") {
    throw usage(
      'A job must be a JSON object, like {"command": "echo hello"}, or a command that does not begin with "[": ' +
        'sh knows that as "test", and queuectl enqueue -- COMMAND ARGUMENTS takes a list',
    );
  }
  return start === "{" ? "json" : "shell";
}

/** How a command with arguments is given that was given without quotes. */
export const separatorHint = (verb: string) =>
  "a command for the shell is one argument, in quotes; or put -- before it: " +
  `queuectl ${verb} -- COMMAND ARGUMENTS`;

/**
 * Throws `usage` where a text has U+FFFD, which comes in the place of bytes that are not UTF-8: something else would be
 * run. (Whoever means that character can write it in JSON.)
 */
export function refuseChanged(what: string, text: unknown): void {
  if (typeof text !== "string" || !text.includes("\uFFFD")) return;
  throw usage(
    `${what} is not valid UTF-8, and would be changed: "${text}". ` +
      `In a command for the shell such a byte can be written with printf: "$(printf '\\377')"`,
  );
}

const usage = (message: string) => new QueuectlError("usage", message);
