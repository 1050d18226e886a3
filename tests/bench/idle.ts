/** A worker that has nothing to do: how soon it starts what comes, and what it costs meanwhile. */

import { delay } from "../../src/base/delay.ts";
import { memoryOf, processorTimeOf } from "../helpers/host_processes.ts";
import { startManager } from "../helpers/manager.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";
import { bareProgram } from "./bare_program.ts";
import { type BenchQueue, benchQueue, runQuietly } from "./queue.ts";
import { comparison, type Row } from "./report.ts";
import { median, quantile } from "./statistics.ts";

/** Starts a manager, waits for its workers, and stops it afterwards. */
async function withWorkers<T>(
  queue: BenchQueue,
  args: readonly string[],
  action: (pids: number[]) => Promise<T>,
): Promise<T> {
  const manager = startManager(args, queue.path, { QUEUECTL_DB: queue.database });
  try {
    const count = Number(/\d+/.exec((await manager.line(/^Manager: starting (\d+) worker/))[0])![0]);
    await manager.line(/: started$/, count);
    const pids = [];
    for (let number = 1; number <= count; number++) pids.push(await manager.workerPid(number));
    return await action(pids);
  } finally {
    manager.signal("SIGTERM");
    await manager.closed;
  }
}

/** The time from a committed enqueue to the first act of the command, which writes into a pipe. */
export async function latency(rounds: number): Promise<Row[]> {
  await using queue = await benchQueue();
  const pipe = `${queue.path}/pipe`;
  await runQuietly("mkfifo", [pipe]);
  // Open for both, so that it never ends, and opening it waits for nobody.
  using reader = await Deno.open(pipe, { read: true, write: true });
  const times: number[] = [];
  await withWorkers(queue, [], async () => {
    const buffer = new Uint8Array(64);
    for (let sample = 0; sample < rounds * 40; sample++) {
      await delay(30 + Math.random() * 100);
      await queue.store.enqueue([newJob(`sample-${sample}`, { command: `echo >${pipe}` })]);
      const committed = performance.now();
      await reader.read(buffer);
      // The first one starts the shell that runs all the others.
      if (sample > 0) times.push(performance.now() - committed);
    }
  });
  const row = (name: string, part: number, atMost: number): Row => ({
    figure: `enqueue committed → command started, idle worker, ${name}`,
    unit: "ms",
    value: quantile(times, part),
    target: { atMost },
  });
  return [row("p50", 0.5, 10), row("p99", 0.99, 40)];
}

/** Processor time and memory of a worker that waits. */
export async function idleWorker(rounds: number): Promise<Row[]> {
  const seconds = 10;
  const [shares, memory, bare]: number[][] = [[], [], []];
  await using folder = await temporaryFolder();
  const { command, args } = await bareProgram("idle_program", folder.path);
  for (let round = 0; round < rounds; round++) {
    await using queue = await benchQueue();
    await withWorkers(queue, ["--count", "2"], async (pids) => {
      const program = new Deno.Command(command, { args: [...args], stdin: "null" }).spawn();
      // What the start has left to do is done.
      await delay(3000);
      const before = await Promise.all(pids.map(processorTimeOf));
      await delay(seconds * 1000);
      const after = await Promise.all(pids.map(processorTimeOf));
      shares.push(...after.map((time, index) => (time - before[index]) / seconds * 100));
      memory.push(median((await Promise.all(pids.map((pid) => memoryOf(pid)))).map((value) => value!)));
      bare.push((await memoryOf(program.pid))!);
      program.kill("SIGKILL");
      await program.status;
    });
  }
  return [
    {
      figure: "processor time of an idle worker",
      unit: "% of one",
      value: shares.reduce((sum, share) => sum + share) / shares.length,
      target: { atMost: 0.5 },
    },
    comparison("memory of an idle worker", "MiB", memory, "idle Deno program", bare, { atMost: 1.5 }),
  ];
}

/** What 64 commands that run add to the memory of their worker. */
export async function runningSlots(rounds: number): Promise<Row[]> {
  const slots = 64;
  const [idle, busy]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await using queue = await benchQueue();
    await withWorkers(queue, ["--concurrency", String(slots)], async ([pid]) => {
      await delay(2000);
      idle.push((await memoryOf(pid))!);
      const jobs = Array.from(
        { length: slots },
        (_, number) => newJob(`job-${number}`, { command: "sleep 600" }),
      );
      await queue.store.enqueue(jobs);
      await waitFor("all slots to be in use", async () => (await queue.store.counts()).processing === slots);
      await delay(2000);
      busy.push((await memoryOf(pid))!);
      // So that the stop that follows waits for nobody.
      await queue.run(["worker", "stop", "--now"]);
    });
  }
  return [{
    figure: `memory of a worker with ${slots} running commands`,
    unit: "MiB",
    value: median(busy),
    against: { name: "idle", value: median(idle) },
    difference: median(busy) - median(idle),
    target: { atMost: 30 },
  }];
}
