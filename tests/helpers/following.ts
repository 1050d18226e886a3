import { type Manager, watchManager } from "./manager.ts";
import { programCommand } from "./program.ts";
import type { Queue } from "./queue_test.ts";

/** Starts the program on a queue, to watch what it prints while it runs; it is ended with the test. */
export function startProgram(
  queue: Queue,
  args: readonly string[],
  env: Record<string, string> = {},
): Manager {
  return queue.watch(
    watchManager(
      programCommand(args, {
        cwd: queue.path,
        env: { ...queue.env, ...env },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    ),
  );
}
