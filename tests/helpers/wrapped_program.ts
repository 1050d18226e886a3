/** The real program, started by another one: under strace, with limits, as another user. */

import { permissions } from "../../src/worker/host/program.ts";
import { type Manager, watchManager } from "./manager.ts";
import type { ProgramResult } from "./program.ts";

/** Whether a program is there and can do this here. */
export function canRun(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** A command that runs the program as `WRAPPER… queuectl ARGS…`, with these variables and nothing else of ours. */
export interface Wrapped {
  wrapper: readonly string[];
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
}

/** It as a command that is not started yet. */
export function wrappedCommand({ wrapper, args, cwd, env }: Wrapped, stdin: "piped" | "null"): Deno.Command {
  const { QUEUECTL_DB: _, QUEUECTL_TEST_PROGRAM: executable, ...inherited } = Deno.env.toObject();
  const main = new URL("../../src/main.ts", import.meta.url).href;
  const program = executable
    ? [executable]
    : [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, main];
  const [command, ...rest] = [...wrapper, ...program, ...args];
  return new Deno.Command(command, {
    args: rest,
    cwd,
    env: { ...inherited, NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs it to its end. */
export async function runWrapped(wrapped: Wrapped, input = ""): Promise<ProgramResult> {
  const child = wrappedCommand(wrapped, "piped").spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), written]);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts `worker start` with these arguments. */
export function startWrapped(wrapped: Wrapped): Manager {
  return watchManager(
    wrappedCommand({ ...wrapped, args: ["worker", "start", ...wrapped.args] }, "null").spawn(),
  );
}

/** A wrapper that runs a line of shell first, as `ulimit -n 30` or `umask 000`. */
export const shell = (line: string): string[] => ["/bin/sh", "-c", `${line}; exec "$@"`, "sh"];
