/** Runs one command on Windows: a `cmd.exe` around it takes the place of a runner (shell_script.ts). */

import type { Runner } from "./runner_pool.ts";
import { windowsInvocation } from "./shell_script.ts";
import { appendStatus, createStatus, readStatus, startedLine } from "./spool.ts";
import { hasOutput } from "./spool_output.ts";

/** Milliseconds between 1601, where Windows begins to count, and 1970. */
const fileTimeOffset = 11_644_473_600_000;

/** A runner for one command, on a host with this boot. */
export function startWindowsRunner(boot: string): Runner {
  const mark = crypto.randomUUID();
  return {
    reusable: false,
    async run(spec, key, started) {
      const run = { pid: 0, start: "-", boot, claim: `${key}.${mark}`, runner: mark };
      if (!createStatus(spec.files, startedLine(run))) return "refused";
      const { command, args, env } = windowsInvocation({
        ...spec,
        env: { ...spec.env, QUEUECTL_CLAIM: run.claim },
      });
      const process = new Deno.Command(command, {
        args,
        env,
        cwd: spec.cwd ?? undefined,
        windowsRawArguments: true,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      // Its start time would have to be asked of PowerShell, for most of a second; a bound does as well. In units of
      // 100 ns, as the process table has it.
      const start = `<=${BigInt(Date.now() + 1000 + fileTimeOffset) * 10_000n}`;
      appendStatus(spec.files, `pid ${process.pid} ${start}`);
      started({ ...run, pid: process.pid, start });
      await process.status;
      const status = readStatus(spec.files)?.exitStatus ?? null;
      if (status === null) return null;
      return { status, output: hasOutput(spec.files) ? "printed" : "unopened" };
    },
    close() {},
  };
}
