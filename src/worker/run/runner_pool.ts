/** The runners of a worker: as many as it has ever run commands side by side, and a few more. */

import { delay } from "../../base/delay.ts";
import { hasCompany, takeSnapshot } from "../host/processes.ts";
import type { Runner, RunnerAnswer } from "./runner.ts";
import { startShellRunner } from "./shell_runner.ts";
import type { CommandSpec } from "./shell_script.ts";
import type { RunOrigin, StartedRun } from "../spool/spool.ts";
import { untilPossible } from "../host/until_possible.ts";
import { startWindowsRunner } from "./windows_runner.ts";

/** Runs commands with idle runners, or new ones. */
export interface RunnerPool {
  /** As {@link Runner.run}; the runner takes no other command before `release` is called. */
  run(
    spec: CommandSpec,
    key: string,
    started: (run: StartedRun) => void,
  ): Promise<{ answer: RunnerAnswer | "refused" | null; release: () => void }>;
  /** Lets all runners end, each after the command that it runs. */
  close(): void;
}

/** Whether a command's text has something run in the background. */
const background = /(^|[^&<>])&($|[^&])/;
/** Milliseconds after which a command has run so long that a look at what it has left is cheap beside it. */
const longRun = 1000;
/** Of other commands, so many are looked after at once, and one a second from then on. */
const mostLooks = 4;
/** Milliseconds in which runners are gathered that are looked at together. */
const gatherTime = 250;

/**
 * The runners of this process; `boot` is the boot of this host, which goes into every status file with the origin. What a
 * command leaves behind is in the session of its runner, where a later one that signals its group (`kill 0`) would reach it:
 * so a runner whose command may have left something is not used before a look at the processes has shown that it is alone.
 */
export function openRunnerPool(boot: string, origin?: RunOrigin): RunnerPool {
  const idle: Runner[] = [];
  const doubtful = new Set<Runner>();
  const closing = new AbortController();
  let looking = false;
  let looks = mostLooks;
  let lookedAt = performance.now();

  function mayHaveLeft(command: string, elapsed: number): boolean {
    if (background.test(command) || elapsed >= longRun) return true;
    const now = performance.now();
    looks = Math.min(mostLooks, looks + (now - lookedAt) / 1000);
    lookedAt = now;
    if (looks < 1) return false;
    looks--;
    return true;
  }

  async function lookAtDoubtful(): Promise<void> {
    looking = true;
    while (doubtful.size > 0) {
      await delay(gatherTime, closing.signal);
      if (closing.signal.aborted) return;
      const runners = [...doubtful];
      const snapshot = await untilPossible(() => takeSnapshot());
      for (const runner of runners) {
        // It is not there any more when the pool was closed meanwhile.
        if (!doubtful.delete(runner)) continue;
        if (hasCompany(runner.pid, snapshot)) runner.close();
        else idle.push(runner);
      }
    }
    looking = false;
  }

  return {
    async run(spec, key, started) {
      const runner = idle.pop() ??
        (Deno.build.os === "windows"
          ? startWindowsRunner(boot, origin)
          : await startShellRunner(boot, origin));
      const startedAt = performance.now();
      const answer = await runner.run(spec, key, started);
      return {
        answer,
        release() {
          if (answer === null || !runner.reusable || closing.signal.aborted) return runner.close();
          if (!mayHaveLeft(spec.command, performance.now() - startedAt)) return void idle.push(runner);
          doubtful.add(runner);
          if (!looking) void lookAtDoubtful();
        },
      };
    },
    close() {
      closing.abort();
      for (const runner of [...idle.splice(0), ...doubtful]) runner.close();
      doubtful.clear();
    },
  };
}
