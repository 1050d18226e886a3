/** The command line: arguments → command → exit status. What an error becomes is in failures.ts. */

import { type CommandLine, readGlobalFlags } from "./parser/global_flags.ts";
import { lazy } from "../base/lazy.ts";

/** Runs the command that the arguments name and returns the exit status of the program. */
export async function runCommandLine(given: readonly string[]): Promise<number> {
  try {
    const line = readGlobalFlags(given);
    return await (isPlainEnqueue(line) ? enqueue(line) : parseAndRun(line));
  } catch (error) {
    return (await import("./parser/failures.ts")).report(error);
  }
}

/** Whether it is `enqueue JSON` and nothing else: what scripts call most, and what the parser would cost most. */
const isPlainEnqueue = ({ args }: CommandLine) =>
  args.length === 2 && args[0] === "enqueue" && args[1].startsWith("{");

async function enqueue({ args, db, allowed }: CommandLine): Promise<number> {
  const { enqueueJson } = await import("./commands/enqueue_one.ts");
  await enqueueJson({ db, allowed }, args[1]);
  return 0;
}

async function parseAndRun(line: CommandLine): Promise<number> {
  return await (await import(lazy("./parser/parser.ts")) as typeof import("./parser/parser.ts")).parseAndRun(
    line,
  );
}
