/** 100 000 jobs through one manager: nothing grows. */

import { statIfThere } from "../../src/base/files.ts";
import { delay } from "../../src/base/delay.ts";
import { memoryOf } from "../helpers/host_processes.ts";
import { startManager } from "../helpers/manager.ts";
import { benchQueue } from "./queue.ts";
import type { Row } from "./report.ts";
import { median } from "./statistics.ts";

/** Memory of the worker after the first thousand jobs and at the end, and the longest the log has been. */
export async function longRun(): Promise<Row[]> {
  const [first, count] = [1000, 100_000];
  await using queue = await benchQueue(count);
  const manager = startManager(["--concurrency", "2"], queue.path, { QUEUECTL_DB: queue.database });
  const pid = await manager.workerPid();
  let log = 0;
  const samples: Array<{ jobs: number; memory: number }> = [];
  const until = async (jobs: number) => {
    for (let completed = 0; completed < jobs;) {
      ({ completed } = await queue.store.counts());
      log = Math.max(log, statIfThere(`${queue.database}-wal`)?.size ?? 0);
      samples.push({ jobs: completed, memory: (await memoryOf(pid))! });
      await delay(100);
    }
    return samples.at(-1)!.memory;
  };
  const early = await until(first);
  const late = await until(count);
  const part = count / 5;
  const ofPart = (isIn: (jobs: number) => boolean) =>
    median(samples.filter(({ jobs }) => isIn(jobs)).map(({ memory }) => memory));
  const begin = ofPart((jobs) => jobs >= first && jobs < first + part);
  const end = ofPart((jobs) => jobs >= count - part);
  manager.signal("SIGTERM");
  await manager.closed;
  return [
    {
      figure: `memory of the worker after ${count} jobs`,
      unit: "MiB",
      value: late,
      against: { name: `after ${first}`, value: early },
      ratio: late / early,
      target: { atMost: 1.1 },
    },
    {
      // It goes up and down with what is no longer used.
      figure: `median of it over the last ${part} jobs`,
      unit: "MiB",
      value: end,
      against: { name: `the first ${part}`, value: begin },
      ratio: end / begin,
    },
    {
      figure: "the longest that the log has been",
      unit: "MiB",
      value: log / 1024 ** 2,
      target: { atMost: 64 },
    },
  ];
}
