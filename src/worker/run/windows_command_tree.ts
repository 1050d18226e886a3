/** The processes of a command on Windows: those in its job object, and where that cannot be found any more, those below. */

import { quoteArgument } from "../../job/windows_words.ts";
import { delay } from "../../base/delay.ts";
import { ownProgram } from "../host/program.ts";
import type { StartedRun } from "../spool/spool.ts";
import { closeHandle, endJob, jobName, jobProcesses, openJob } from "../host/windows/job_object.ts";
import { processesBelow, readProcessTable } from "../host/windows_processes.ts";
import { endProcess, programOf, startHidden } from "../host/windows/start_process.ts";

/** The first argument of this program where it is started to ask commands to end; the claim and the pid of each follow. */
export const interruptFlag = "--interrupt";

/**
 * The processes of a command that have not ended, but for what serves their console: that ends when they have, sooner or
 * later.
 */
export function commandProcesses(started: StartedRun): number[] {
  const job = openJob(jobName(started.claim));
  if (job === undefined) return processesBelow(readProcessTable().processes, started);
  try {
    return jobProcesses(job).filter((pid) => !isConsoleHost(pid));
  } finally {
    closeHandle(job);
  }
}

const isConsoleHost = (pid: number) => /\\(conhost|openconsole)\.exe$/i.test(programOf(pid) ?? "");

/**
 * Ends all processes of a command at once, but this one. Only where their job cannot be opened, because another user started
 * it, can there be any that this process may not end.
 */
export function endCommand(started: StartedRun): void {
  const job = openJob(jobName(started.claim));
  try {
    const processes = job === undefined
      ? processesBelow(readProcessTable().processes, started)
      : jobProcesses(job);
    // Where queuectl itself was started by a job, this process may be in it.
    if (job !== undefined && !processes.includes(Deno.pid)) return endJob(job);
    for (const pid of processes) if (pid !== Deno.pid) endProcess(pid);
  } finally {
    if (job !== undefined) closeHandle(job);
  }
}

/** Milliseconds in which commands are gathered that are asked together, and how many of them one process asks. */
const gatherTime = 20;
const mostAsked = 100;

let asking: { commands: StartedRun[]; done: Promise<void> } | undefined;

/**
 * Asks a command to end: its windows are closed, and the group of its first process gets Ctrl-Break. Only a process that
 * gives up its own console for it can do that: another one of this program (interrupt.ts), for all commands that are asked
 * within a moment. Resolves when that is started. Throws when it cannot be started.
 */
export function askToEnd(started: StartedRun): Promise<void> {
  asking ??= { commands: [], done: delay(gatherTime).then(askGathered) };
  asking.commands.push(started);
  return asking.done;
}

function askGathered(): void {
  const { commands } = asking!;
  asking = undefined;
  const { command, args } = ownProgram();
  for (let first = 0; first < commands.length; first += mostAsked) {
    const asked = commands.slice(first, first + mostAsked);
    const words = asked.flatMap(({ claim, pid }) => [claim, String(pid)]);
    startHidden({
      program: command,
      line: [command, ...args, interruptFlag, ...words].map(quoteArgument).join(" "),
      environment: Deno.env.toObject(),
      cwd: null,
    });
  }
}
