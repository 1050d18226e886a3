/** Starts the command of a job that was just claimed. */

import type { Config } from "../../job/settings.ts";
import type { Claim, Finished } from "../../job/job.ts";
import { finishedRun, type JobRun, watchRun } from "./job_run.ts";
import { startCommand } from "./run_command.ts";
import type { RunnerPool } from "./runner_pool.ts";

/** The run that goes on, or the end of one that could not begin, because the job asks for what is not there. */
export function startRun(
  claim: Claim,
  files: string,
  pool: RunnerPool,
  config: Config,
): { run: JobRun } | { result: Finished } {
  const problem = claim.problem ?? folderProblem(claim.cwd);
  if (problem !== null) {
    const outcome = { kind: "spawn_failed", message: problem } as const;
    return { result: finishedRun(claim, outcome, { output: "", errorOutput: "" }, config) };
  }
  const env = {
    ...claim.env,
    QUEUECTL_JOB_ID: claim.id,
    QUEUECTL_ATTEMPT: String(claim.attempt),
    QUEUECTL_QUEUE: claim.queue,
  };
  const spec = { command: claim.command, files, cwd: claim.cwd, env };
  const command = startCommand(spec, `${claim.seq}.${claim.run}`, pool);
  return { run: watchRun(claim, files, command, 0, config) };
}

/** Why a command cannot run in this folder; null when it can. */
function folderProblem(path: string | null): string | null {
  if (path === null) return null;
  try {
    return Deno.statSync(path).isDirectory ? null : `Cannot run in ${path}: it is not a folder`;
  } catch (error) {
    // What Deno does not let us look at, as in /proc: the shell that goes there can.
    if (error instanceof Deno.errors.NotCapable) return null;
    const isMissing = error instanceof Deno.errors.NotFound;
    return `Cannot run in ${path}: ${isMissing ? "the folder does not exist" : (error as Error).message}`;
  }
}
