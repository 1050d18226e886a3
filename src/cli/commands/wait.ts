import { QueuectlError } from "../../errors.ts";
import type { JobProgress } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { duration } from "../flag_values.ts";
import { type Changes, changesOf } from "../follow/changes.ts";
import { exitStatusOf, failureWords, hasEnded, hasWorker } from "../follow/words.ts";
import { openQueue } from "../open_queue.ts";
import { counted } from "../output.ts";
import { printMessage } from "../standard_streams.ts";

/** The exit status when the time is over, as that of timeout(1). */
const timedOut = 124;

/** Waits until jobs have ended for good; the exit status is the job's own for one, else 1 if any has failed. */
export async function wait(
  this: Context,
  flags: { all?: boolean; timeout?: string },
  ...ids: string[]
): Promise<void> {
  if (flags.all && ids.length > 0) {
    throw new QueuectlError("usage", "Give the ids of jobs or --all, not both");
  }
  if (!flags.all && ids.length === 0) {
    throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs, or --all");
  }
  const timeout = flags.timeout === undefined ? Infinity : duration("timeout", flags.timeout);
  const until = performance.now() + timeout;
  await using store = await openQueue(this, "empty");
  using changes = changesOf(store);
  this.process.exitCode = flags.all
    ? await waitForAll(store, changes, until)
    : await waitForJobs(store, changes, until, ids);
}

/** Waits until these jobs have ended for good; gives the exit status. */
export async function waitForJobs(
  store: Store,
  changes: Changes,
  until: number,
  ids: readonly string[],
): Promise<number> {
  const jobs = new Map((await store.find(ids)).map((job) => [job.seq, job]));
  const open = new Set(jobs.keys());
  let failed = 0;
  const isOver = await untilOver(store, changes, until, async () => {
    const found = new Map((await store.progress([...open])).map((job) => [job.seq, job]));
    for (const seq of open) {
      const job = found.get(seq);
      if (!job) throw new QueuectlError("not_found", `Job ${jobs.get(seq)!.id} was removed`);
      if (!hasEnded(job.state)) continue;
      open.delete(seq);
      jobs.set(seq, job);
      if (job.state !== "completed") failed = await tellFailure(store, job);
    }
    return open.size;
  });
  if (!isOver) return timedOut;
  return jobs.size === 1 ? failed : Math.min(1, failed);
}

/** Says how a job has ended that did not complete; gives its exit status. */
async function tellFailure(store: Store, { id, state }: JobProgress): Promise<number> {
  const detail = await store.detail(id);
  printMessage(failureWords({ ...detail, state }));
  return exitStatusOf(state, detail.runs.at(-1));
}

async function waitForAll(store: Store, changes: Changes, until: number): Promise<number> {
  const failures = async () => (await store.deaths()) + (await store.counts()).cancelled;
  const before = await failures();
  const isOver = await untilOver(store, changes, until, () => store.countOpen());
  if (!isOver) return timedOut;
  const failed = await failures() - before;
  if (failed > 0) printMessage(`${counted(failed, "job")} failed or cancelled meanwhile`);
  return failed > 0 ? 1 : 0;
}

/** Looks how many jobs are left after every change, until none is; false when the time is over before. */
async function untilOver(
  store: Store,
  changes: Changes,
  until: number,
  left: () => Promise<number>,
): Promise<boolean> {
  for (let isFirst = true;; isFirst = false) {
    const count = await left();
    if (count === 0) return true;
    const time = until - performance.now();
    if (time <= 0) {
      printMessage(`${counted(count, "job")} not ended in time`);
      return false;
    }
    if (isFirst && !hasWorker(await store.processes())) {
      printMessage("No worker runs; start one: queuectl worker start");
    }
    await changes.next(time);
  }
}
