/** Worker processes as their manager has them: started, given their assignment, told to stop, or let go without one. */

import { type Allowances, allowanceVariables } from "../../job/settings.ts";
import { print, printMessage } from "../host/log.ts";

import { ownProgram } from "../host/program.ts";
import { stopLine, type WorkerArguments, type WorkerAssignment } from "../host/worker_arguments.ts";

/** A worker that was started before its manager was ready. */
export interface EarlyWorker {
  args: WorkerArguments;
  child: Deno.ChildProcess | Error;
  isAssigned: boolean;
}

/** On Windows a process without a console cannot write to that of another: its manager does. */
const outputs = Deno.build.os === "windows" ? "piped" : "inherit";

/** Starts a worker in that folder, or where this process is. The error where the system has no process or file to spare now. */
export function spawnWorker(
  args: WorkerArguments,
  allowed: Allowances,
  cwd?: string,
): Deno.ChildProcess | Error {
  const program = ownProgram();
  try {
    return new Deno.Command(program.command, {
      args: [...program.args, "--worker", JSON.stringify(args)],
      env: allowanceVariables(allowed),
      cwd,
      // It gets its assignment there, and its end tells that the manager is gone.
      stdin: "piped",
      stdout: outputs,
      stderr: outputs,
      // In a session of its own: Ctrl-C in the terminal reaches the manager alone. On Windows it has no console, and
      // outlives its manager.
      detached: true,
    }).spawn();
  } catch (error) {
    return error as Error;
  }
}

/** Lets a worker go that has no assignment yet; resolves when it has ended. */
export async function dismiss({ child, isAssigned }: EarlyWorker): Promise<void> {
  if (isAssigned || child instanceof Error) return;
  await child.stdin.close();
  await Promise.all([child.status, passOn(child)]);
}

/** Tells a worker whose it is. */
export async function assign(child: Deno.ChildProcess, assignment: WorkerAssignment): Promise<void> {
  await tell(child, JSON.stringify(assignment));
}

/** Tells a worker that has its assignment to stop; the second time not to wait for what runs. */
export async function tellToStop(child: Deno.ChildProcess): Promise<void> {
  await tell(child, stopLine);
}

/** Prints what a worker prints that cannot do so itself; resolves when it prints no more. */
export async function passOn(child: Deno.ChildProcess): Promise<void> {
  if (outputs !== "piped") return;
  await Promise.all([
    passLines(child.stdout, (lines) => print(lines)),
    passLines(child.stderr, (lines) => printMessage(lines.join("\n"))),
  ]);
}

/** Gives lines to `pass` as soon as they are whole; the rest at the end, also where that is an error of the system. */
export async function passLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pass: (lines: string[]) => void,
): Promise<void> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  // A pipe whose writer was killed may end by an error: the manager has another worker to start then.
  const read = () => reader.read().catch(() => ({ value: undefined }));
  let rest = "";
  for (let text; (text = (await read()).value) !== undefined;) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    if (lines.length > 0) pass(lines);
  }
  if (rest !== "") pass([rest]);
}

/** Their inputs. Kept: the next line may have to be told while one is underway. */
const inputs = new WeakMap<Deno.ChildProcess, WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>>();

/** One that has died already takes nothing. */
async function tell(child: Deno.ChildProcess, line: string): Promise<void> {
  const input = inputs.get(child) ?? child.stdin.getWriter();
  inputs.set(child, input);
  try {
    await input.write(new TextEncoder().encode(`${line}\n`));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
