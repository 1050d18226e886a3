/** Runs one command on Windows: a `cmd.exe` around it takes the place of a runner, and writes its exit status. */

import { failpoint } from "../../base/failpoint.ts";
import { delay } from "../../base/delay.ts";
import type { Runner } from "./runner.ts";
import { createStatus, readStatus, type RunOrigin, startedLine } from "../spool/spool.ts";
import { hasPrinted } from "../spool/spool_output.ts";
import { untilPossible } from "../host/until_possible.ts";
import { startOfCommand } from "../host/windows/command_line.ts";
import { mergeEnvironments } from "../host/windows/environment.ts";
import { closeHandle, jobName, type JobObject } from "../host/windows/job_object.ts";
import { systemFolder } from "../host/windows/libraries.ts";
import { longPath } from "../host/windows/long_path.ts";
import { isFile } from "../host/windows/program_search.ts";
import {
  hasProcessEnded,
  StartError,
  startSuspended,
  type SuspendedProcess,
} from "../host/windows/start_process.ts";

/** Milliseconds between two looks at whether a command has ended: a fiftieth of its time, but not less or more than these. */
const [shortestPause, longestPause] = [2, 50];

/** Errors of CreateProcessW by which the system says that it has nothing to spare now: memory, handles, quota. */
const wantOfResources = [4, 8, 14, 1450, 1453, 1454, 1455, 1816];

/** A runner for one command, on a host with this boot. */
export function startWindowsRunner(boot: string, origin?: RunOrigin): Runner {
  const mark = crypto.randomUUID();
  let job: JobObject | undefined;
  function close(): void {
    // Until then the job can be found by its name, also when nothing else has a handle of it.
    if (job !== undefined) closeHandle(job);
    job = undefined;
  }
  return {
    reusable: false,
    pid: 0,
    async run(spec, key, started) {
      const claim = `${key}.${mark}`;
      // The form that has no limit of length is none that cmd.exe can be in.
      const cwd = (spec.cwd ?? Deno.cwd()).replace(/^\\\\\?\\(?=[a-z]:)/i, "");
      const env = mergeEnvironments(Deno.env.toObject(), spec.env, { QUEUECTL_CLAIM: claim });
      const start = startOfCommand(spec.command, longPath(spec.files), systemFolder(), { cwd, env, isFile });
      if ("problem" in start) return { problem: start.problem };
      const without = Object.fromEntries(start.without.map((name) => [name, null]));
      const environment = mergeEnvironments(env, without, start.env);
      let process: SuspendedProcess;
      try {
        const files = { out: `${spec.files}.out`, err: `${spec.files}.err` };
        const program = `${systemFolder()}\\cmd.exe`;
        process = startSuspended({ program, line: start.line, environment, cwd }, files, jobName(claim));
      } catch (error) {
        if (!(error instanceof StartError) || wantOfResources.includes(error.code)) throw error;
        return { problem: `The command could not be started: ${error.message}` };
      }
      job = process.job;
      let isOver = false;
      try {
        const run = { pid: process.pid, start: process.start, boot, claim, runner: mark, origin };
        if (!createStatus(spec.files, startedLine(run))) return "refused";
        started(run);
        process.resume();
        failpoint("started");
        await untilEnded(process.handle);
        isOver = true;
      } finally {
        process.release();
        // Of what could not be started, nobody asks any more.
        if (!isOver) close();
      }
      // It has run: whatever the system refuses now, it must not count as one that was never started.
      return await untilPossible(() => {
        const status = readStatus(spec.files)?.exitStatus ?? null;
        return status === null ? null : { status, output: hasPrinted(spec.files) ? "printed" : "silent" };
      });
    },
    close,
  };
}

async function untilEnded(process: bigint): Promise<void> {
  const startedAt = performance.now();
  while (!hasProcessEnded(process)) {
    const age = performance.now() - startedAt;
    await delay(Math.min(longestPause, Math.max(shortestPause, age / 50)));
  }
}
