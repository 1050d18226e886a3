/** Tests of commands that are run in this process, with real runners. */

import { takeSnapshot } from "../../src/worker/host/processes.ts";
import { type CommandEnd, startCommand } from "../../src/worker/run/run_command.ts";
import { openRunnerPool } from "../../src/worker/run/runner_pool.ts";
import { readOutput } from "../../src/worker/spool/spool_output.ts";
import { killAllWith, untilNoneWith } from "./host_processes.ts";
import { posixOnly } from "./left_out.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** What a test gets: a folder for the files of its runs, in which its commands run. */
export interface Commands {
  path: string;
  /** Starts a command whose files have this name; what it starts carries `MARK=PATH/NAME`. */
  start(
    name: string,
    command: string,
    spec?: { cwd?: string; env?: Record<string, string>; patience?: number },
  ): Started;
  read(name: string): string;
  touch(name: string): void;
}

/** A command that was started. */
export interface Started {
  ended: Promise<CommandEnd>;
  end(grace: number): Promise<readonly number[]>;
  files: string;
  output(stream?: "out" | "err"): string;
}

/** Registers a test with a runner pool of its own, none of whose processes may stay; not on Windows. */
export function commandTest(
  name: string,
  body: (commands: Commands) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore: posixOnly("runners of /bin/sh") || options.ignore,
    // A runner is not waited for when it is let go: it ends by itself, after its command.
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      await using folder = await temporaryFolder();
      const { path } = folder;
      const pool = openRunnerPool((await takeSnapshot()).boot);
      let count = 0;
      const start: Commands["start"] = (name, command, { cwd, env, patience } = {}) => {
        const files = `${path}/${name}`;
        const spec = { command, files, cwd: cwd ?? path, env: { MARK: files, ...env } };
        const output = (stream: "out" | "err" = "out") => readOutput(files, stream, 100_000);
        const { ended, end } = startCommand(spec, `${++count}.1`, pool, patience);
        // Whether it was silent is seen by what its files hold.
        const status = (end: CommandEnd): CommandEnd =>
          end.kind === "exited" ? { kind: end.kind, status: end.status } : end;
        return { ended: ended.then(status), end, files, output };
      };
      const read = (name: string) => {
        try {
          return Deno.readTextFileSync(`${path}/${name}`);
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) return "";
          throw error;
        }
      };
      try {
        await body({
          path,
          start,
          read,
          touch: (name) => Deno.writeTextFileSync(`${path}/${name}`, ""),
        });
        await untilNoneWith(path);
      } finally {
        pool.close();
        await killAllWith(path);
      }
    },
  });
}
