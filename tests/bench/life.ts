/** Where the time of one job goes, in microseconds: the steps of a worker with one slot, one after another. */

import { takeSnapshot } from "../../src/worker/host/processes.ts";
import { readOutputs } from "../../src/worker/spool/spool_output.ts";
import { openRunnerPool } from "../../src/worker/run/runner_pool.ts";
import { makeSpool, removeFiles, runFiles } from "../../src/worker/spool/spool.ts";
import { claim, finished, join, success } from "../store/suite/harness.ts";
import { benchQueue } from "./queue.ts";
import type { Row } from "./report.ts";
import { median } from "./statistics.ts";

const steps = [
  "claim",
  "run (fork, command, wait, exit status)",
  "read outputs",
  "record",
  "remove files",
] as const;

/** The steps of 1000 jobs. */
export async function lifeOfJob(): Promise<Row[]> {
  const jobs = 1000;
  await using queue = await benchQueue(jobs);
  const { store } = queue;
  const worker = await join(store);
  makeSpool(store.spool);
  const pool = openRunnerPool((await takeSnapshot()).boot);
  const times: number[][] = steps.map(() => []);
  for (let job = 0; job < jobs; job++) {
    const marks = [performance.now()];
    const [run] = await claim(store, worker);
    marks.push(performance.now());
    const files = runFiles(store.spool, run.seq, run.run);
    const { answer, release } = await pool.run(
      { command: run.command, files, cwd: null, env: { QUEUECTL_JOB_ID: run.id } },
      `${run.seq}.${run.run}`,
      () => {},
    );
    release();
    marks.push(performance.now());
    const isSilent = answer !== null && answer !== "refused" && "output" in answer &&
      answer.output === "silent";
    const outputs = isSilent ? { output: "", errorOutput: "" } : readOutputs(files, 1024 ** 2);
    marks.push(performance.now());
    await store.exchange(worker, [finished(run, success, outputs)], 0);
    marks.push(performance.now());
    removeFiles(files, false);
    marks.push(performance.now());
    steps.forEach((_, step) => times[step].push((marks[step + 1] - marks[step]) * 1000));
  }
  pool.close();
  return steps.map((step, index) => ({
    figure: `one job: ${step}`,
    unit: "µs",
    value: median(times[index]),
  }));
}
