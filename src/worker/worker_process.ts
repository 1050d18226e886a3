/** Worker processes as their manager has them: started, given their assignment, or let go without one. */

import { ownProgram } from "./program.ts";
import type { WorkerArguments, WorkerAssignment } from "./worker_arguments.ts";

/** A worker that was started before its manager was ready. */
export interface EarlyWorker {
  args: WorkerArguments;
  child: Deno.ChildProcess | Error;
  isAssigned: boolean;
}

/** The error where the system has no process or file to spare now. */
export function spawnWorker(args: WorkerArguments, allowShared: boolean): Deno.ChildProcess | Error {
  const program = ownProgram();
  try {
    return new Deno.Command(program.command, {
      args: [...program.args, "--worker", JSON.stringify(args)],
      env: allowShared ? { QUEUECTL_ALLOW_SHARED_DB: "1" } : {},
      // It gets its assignment there, and its end tells that the manager is gone.
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
      // In a session of its own: Ctrl-C in the terminal reaches the manager alone.
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
  await child.status;
}

/** Tells a worker whose it is; one that has died already takes nothing. */
export async function assign(child: Deno.ChildProcess, assignment: WorkerAssignment): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(`${JSON.stringify(assignment)}\n`));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    writer.releaseLock();
  }
}
