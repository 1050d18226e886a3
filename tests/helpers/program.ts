/** Runs the real program, from source or, with `QUEUECTL_TEST_PROGRAM`, that executable. */

import { permissions } from "../../src/worker/program.ts";

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

/** The program as a command that is not started yet, with a clean environment: no database, no colour. */
export function programCommand(
  args: readonly string[],
  options: Omit<ProgramOptions, "stdin"> & Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
): Deno.Command {
  const { QUEUECTL_DB: _, QUEUECTL_TEST_PROGRAM: compiled, ...inherited } = Deno.env.toObject();
  const executable = options.main ? undefined : compiled;
  const env = { ...inherited, NO_COLOR: "1", ...options.env };
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

/** Runs the program to its end and returns its exit status and all that it said. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
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
