/** Processes that enqueue on a queue without end, and what they were told is in it. */

import { fileURLToPath } from "node:url";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { describeProcesses, processesWith } from "./host_processes.ts";
import { watchManager } from "./manager.ts";
import { programCommand } from "./program.ts";
import type { Queue } from "./queue_test.ts";
import { waitFor } from "./wait_for.ts";

/** Enqueueing by two processes of the store and, one after another, by `queuectl enqueue`. */
export interface Load {
  /** The jobs that were acknowledged, and how long the WAL was after that (0 where nobody looked). */
  acknowledged(): Map<string, number>;
  /** Waits until that many more jobs have been acknowledged. */
  more(count: number): Promise<void>;
  /** Runs `action` while every process of the queue, workers too, stands still wherever it is. */
  whileFrozen<T>(action: () => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** Starts the load; with `checkpoints` the WAL is copied to the database all the time. */
export function startLoad(queue: Queue, options: { checkpoints: boolean }): Load {
  const script = fileURLToPath(import.meta.resolve("./load_process.ts"));
  const database = `${queue.path}/queuectl.db`;
  const processes = ["a", "b"].map((prefix) => {
    const permissions = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env", "--allow-sys=uid"];
    const args = [database, prefix, options.checkpoints ? "checkpoints" : ""];
    return watchManager(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-lock", ...permissions, script, ...args],
        env: queue.env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
  });
  const printed: string[] = [];
  let ended = false;
  let thawed = Promise.resolve();

  async function enqueueWithProgram(): Promise<void> {
    for (let number = 1; !ended; number++) {
      await thawed;
      const id = `program-${number}`;
      const child = programCommand(["enqueue", JSON.stringify({ id, command: ":" })], {
        cwd: queue.path,
        env: queue.env,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      // As soon as it is printed, not only when the program has ended.
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (/ inserted\.\n$/.test(text)) printed.push(id);
      }
      await child.status;
    }
  }
  const programs = enqueueWithProgram();

  function acknowledged(): Map<string, number> {
    const lines = processes.flatMap(({ lines }) => lines.map((line) => line.split(" ")));
    return new Map([
      ...lines.map(([id, length]) => [id, Number(length)] as const),
      ...printed.map((id) => [id, 0] as const),
    ]);
  }

  async function freeze(): Promise<void> {
    await waitFor("every process to stand still", async () => {
      const pids = await processesWith(queue.path);
      for (const pid of pids) sendSignal(pid, "SIGSTOP");
      const processes = (await describeProcesses(pids)).split("\n").slice(1, -1)
        .map((line) => /^ *(\d+) +(\d+) +(\S)/.exec(line)!.slice(1));
      const parentsOfStopped = new Set(
        processes.filter(([, , state]) => state === "T").map(([, parent]) => parent),
      );
      // T: stopped; Z: ended, and not collected yet; D: a shell that waits, deaf to signals, for the child it has made
      // by vfork, which is stopped.
      return processes.every(([pid, , state]) =>
        state === "T" || state === "Z" || state === "D" && parentsOfStopped.has(pid)
      );
    }, async () => describeProcesses(await processesWith(queue.path)));
  }

  return {
    acknowledged,
    async more(count) {
      const enough = acknowledged().size + count;
      await waitFor(
        `${enough} jobs to be acknowledged`,
        () => acknowledged().size >= enough,
        () => processes.map(({ lines }) => lines.slice(-3)),
      );
    },
    async whileFrozen(action) {
      const gate = Promise.withResolvers<void>();
      thawed = gate.promise;
      await freeze();
      try {
        return await action();
      } finally {
        for (const pid of await processesWith(queue.path)) sendSignal(pid, "SIGCONT");
        gate.resolve();
      }
    },
    async end() {
      ended = true;
      for (const process of processes) process.signal("SIGKILL");
      await Promise.all([programs, ...processes.flatMap(({ status, closed }) => [status, closed])]);
    },
  };
}
