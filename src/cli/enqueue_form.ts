/** What a command line of `enqueue` describes: a job in one of several forms, or many of them. Pure. */

import { QueuectlError } from "../errors.ts";

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
): EnqueueForm {
  const before = args.slice(0, args.length - (behind?.length ?? 0));
  if (Number(before.length > 0) + Number(behind !== undefined) + Number(file !== undefined) > 1) {
    throw usage("Only one of a command, a command behind --, and --file can be given");
  }
  if (file !== undefined) return { kind: "lines", file: standardInputs.includes(file) ? null : file };
  if (behind !== undefined) {
    const isJson = behind.length === 1 && kindOfText(behind[0]) === "json";
    return isJson ? { kind: "json", text: behind[0] } : { kind: "words", words: behind };
  }
  if (before.length === 0) {
    throw usage(
      `Give a command to run, in quotes or behind --: queuectl ${verb} -- COMMAND ARGUMENTS. ` +
        `Run queuectl ${verb} --help`,
    );
  }
  if (before.length > 1) {
    throw usage(
      `Unexpected argument "${
        before[1]
      }": a command for the shell is one argument, in quotes; or put -- before it: ` +
        `queuectl ${verb} -- COMMAND ARGUMENTS`,
    );
  }
  return before[0] === "-" ? { kind: "lines", file: null } : { kind: kindOfText(before[0]), text: before[0] };
}

/** Whether a text is the JSON of a job or a command for the shell. Throws `usage` for a JSON array, and for no text. */
export function kindOfText(text: string): "json" | "shell" {
  const start = text.trimStart()[0];
  if (start === undefined) throw usage("The command is empty");
  if (start === "[") {
    throw usage(
      'A job must be a JSON object, like {"command": "echo hello"}, or a command that does not begin with "[": ' +
        'the shell knows that as "test", and queuectl enqueue -- COMMAND ARGUMENTS takes a list',
    );
  }
  return start === "{" ? "json" : "shell";
}

const usage = (message: string) => new QueuectlError("usage", message);
