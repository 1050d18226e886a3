/** Queues to measure on, and the programs that are timed. */

import { fileURLToPath } from "node:url";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { programCommand } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { newJob } from "../store/suite/harness.ts";

/** A queue in a folder of its own. */
export interface BenchQueue extends AsyncDisposable {
  path: string;
  /** Its file, or its URL. */
  database: string;
  store: Store;
  /** Runs queuectl on it, without its output. Throws when the exit status is another. */
  run(args: readonly string[], status?: number): Promise<void>;
  /** Starts queuectl on it. */
  spawn(args: readonly string[]): Deno.ChildProcess;
}

/** A queue with as many jobs of this command, in a file or where `url` says; the ids are `job-0` and so on. */
export async function benchQueue(jobs = 0, command = "true", url?: string): Promise<BenchQueue> {
  const folder = await temporaryFolder();
  const database = url ?? `${folder.path}/queuectl.db`;
  const store = await openStore(database, { missing: "create", durable: false });
  await store.enqueue(Array.from({ length: jobs }, (_, number) => newJob(`job-${number}`, { command })));
  const prepare = (args: readonly string[]) =>
    programCommand(args, {
      cwd: folder.path,
      // Also for what PostgreSQL has no folder for.
      env: { QUEUECTL_DB: database, XDG_STATE_HOME: folder.path },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
  return {
    path: folder.path,
    database,
    store,
    async run(args, status = 0) {
      const { code } = await prepare(args).output();
      if (code !== status) throw new Error(`queuectl ${args.join(" ")} ended with ${code}`);
    },
    spawn: (args) => prepare(args).spawn(),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The milliseconds that an action takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Runs a program to its end, without its output. Throws when it fails. */
export async function runQuietly(
  command: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<void> {
  const { code } = await new Deno.Command(command, {
    ...options,
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/** Whether a program is there to be measured. */
export async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'command -v "$1" >/dev/null', "sh", program],
  }).output();
  return success;
}

/** The path of a file beside this one. */
export const beside = (name: string): string => fileURLToPath(import.meta.resolve(`./${name}`));
