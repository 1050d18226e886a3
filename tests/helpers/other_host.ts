/** Other hosts with wrong clocks, as far as programs can tell. */

import { killAllWith } from "./host_processes.ts";
import { type Manager, watchManager } from "./manager.ts";
import { programCommand, type ProgramResult, runProgram } from "./program.ts";
import type { Queue } from "./queue_test.ts";

export interface OtherHost {
  name: string;
  run(...args: string[]): Promise<ProgramResult>;
  /** Starts `worker start` there. */
  start(...args: string[]): Manager;
  /** Ends everything that runs there, as when it loses its power. */
  cut(): Promise<void>;
}

/** A host of that name whose clock is that many milliseconds ahead; it shares nothing with this one but the database. */
export function otherHost(queue: Queue, name: string, ahead: number): OtherHost {
  const state = `${queue.path}/state-of-${name}`;
  const env = { ...queue.env, XDG_STATE_HOME: state, TEST_HOST: name, TEST_AHEAD: String(ahead) };
  const main = import.meta.resolve("./other_host_program.ts");
  const options = { cwd: queue.path, env, main };
  return {
    name,
    run: (...args) => runProgram(args, options),
    start: (...args) =>
      queue.watch(
        watchManager(
          programCommand(["worker", "start", ...args], {
            ...options,
            stdin: "null",
            stdout: "piped",
            stderr: "piped",
          }).spawn(),
        ),
      ),
    cut: () => killAllWith(state),
  };
}
