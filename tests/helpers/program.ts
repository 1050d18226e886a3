/** Runs the real program, from source or, with `QUEUECTL_TEST_PROGRAM`, that executable. */

import { permissions } from "../../src/worker/host/program.ts";
import { startStandingProgram } from "./standing_program.ts";

export interface ProgramOptions {
  /** The folder in which it runs, and so where its `queuectl.db` is. */
  cwd: string;
  /** Standard input; empty without it. */
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  /** What is run in the place of `src/main.ts`, also with `QUEUECTL_TEST_PROGRAM`. */
  main?: string;
}

export interface ProgramResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** This process's environment without what is about the tests and a user's own queue, and without colours. */
function cleanEnvironment(): Record<string, string> {
  const { QUEUECTL_DB: _, QUEUECTL_TEST_PROGRAM: __, ...inherited } = Deno.env.toObject();
  return { ...inherited, NO_COLOR: "1" };
}

/** The program as a command that is not started yet, with a clean environment: no database, no colour. */
export function programCommand(
  args: readonly string[],
  options: Omit<ProgramOptions, "stdin"> & Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
): Deno.Command {
  const executable = options.main ? undefined : Deno.env.get("QUEUECTL_TEST_PROGRAM");
  const env = { ...cleanEnvironment(), ...options.env };
  const { cwd, stdin, stdout, stderr } = options;
  const main = options.main ?? import.meta.resolve("../../src/main.ts");
  return new Deno.Command(executable ?? Deno.execPath(), {
    args: executable ? [...args] : ["run", "--no-prompt", "--quiet", ...permissions, main, ...args],
    cwd,
    env,
    clearEnv: true,
    stdin,
    stdout,
    stderr,
  });
}

// Before any test, because what a test starts has to end with it. Not on Windows: under Wine 10 what is written to a
// child's standard input is sometimes never read.
const standing = Deno.env.has("QUEUECTL_TEST_PASSED") && !Deno.env.has("QUEUECTL_TEST_PROGRAM") &&
    Deno.build.os !== "windows"
  ? startStandingProgram(cleanEnvironment())
  : undefined;

/** The variables that a command line may have of its own: others may be looked at only when a program starts. */
const variables = new Set(["QUEUECTL_DB", "XDG_STATE_HOME", "PATH"]);

/** Whether a command line does the same in a process with others: it reads no standard input, and runs no workers. */
function canStandBy(args: readonly string[], { stdin, env, main }: ProgramOptions): boolean {
  return stdin === undefined && main === undefined && !args.includes("-") && !args.includes("worker") &&
    Object.keys(env ?? {}).every((name) => variables.has(name));
}

/**
 * Runs the program to its end and returns its exit status and all that it said. From source, command lines are given to
 * a process that stands by, one after another: most of their time would go into the starts. An executable is started for
 * each.
 */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  if (standing && !standing.isBusy && canStandBy(args, options)) {
    return await standing.run({ args, cwd: options.cwd, env: options.env ?? {} });
  }
  const child = programCommand(args, { ...options, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const written = write(child.stdin, options.stdin ?? "");
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), written]);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function write(stream: WritableStream<Uint8Array>, input: string | Uint8Array): Promise<void> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  try {
    await new Blob([bytes as BlobPart]).stream().pipeTo(stream);
  } catch (error) {
    // A program that refuses a line does not read the rest.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
