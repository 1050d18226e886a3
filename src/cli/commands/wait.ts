import { QueuectlError } from "../../errors.ts";
import type { JobFilter, ListFilter } from "../../store/selection.ts";
import type { JobProgress } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { duration } from "../flag_values.ts";
import { type Changes, changesOf } from "../follow/changes.ts";
import { exitStatusOf, failureWords, hasEnded, hasWorker } from "../follow/words.ts";
import { type FilterFlags, filterOf } from "../job_filter.ts";
import { hintAtTags, requireQueues } from "../known_words.ts";
import { openQueue } from "../open_queue.ts";
import { counted } from "../output.ts";
import { printMessage } from "../standard_streams.ts";

/** The exit status when the time is over, as that of timeout(1). */
const timedOut = 124;

/** What `wait` takes. */
export interface WaitFlags extends Pick<FilterFlags, "queue" | "tag"> {
  all?: boolean;
  timeout?: string;
}

/** Waits until jobs have ended for good; the exit status is the job's own for one, else 1 if any has failed. */
export async function wait(this: Context, flags: WaitFlags, ...ids: string[]): Promise<void> {
  const filter = filterOf({ queue: flags.queue, tag: flags.tag });
  const ways = [ids.length > 0 && "the ids of jobs", flags.all && "--all", filter && "--queue or --tag"]
    .filter((way) => way);
  if (ways.length > 1) throw new QueuectlError("usage", `Give ${ways.join(" or ")}, not both`);
  if (ways.length === 0) {
    throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs, --all, --queue or --tag");
  }
  const timeout = flags.timeout === undefined ? Infinity : duration("timeout", flags.timeout);
  const until = performance.now() + timeout;
  await using store = await openQueue(this, "empty");
  await requireQueues(store, filter?.queues);
  using changes = changesOf(store);
  this.process.exitCode = flags.all
    ? await waitForAll(store, changes, until)
    : filter
    ? await waitForFilter(store, changes, until, filter)
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
  const left = async () => await store.isWorkLeft() ? 1 : 0;
  const isOver = await untilOver(store, changes, until, left, () => store.countOpen());
  if (!isOver) return timedOut;
  const kept = await store.countOpen();
  if (kept > 0) {
    const them = kept === 1 ? "It waits" : "They wait";
    printMessage(
      `${counted(kept, "job")} left. ${them} for somebody: for a paused queue, or behind held jobs`,
    );
  }
  return tellFailed(await failures() - before);
}

async function waitForFilter(
  store: Store,
  changes: Changes,
  until: number,
  filter: JobFilter,
): Promise<number> {
  // Held ones wait for somebody.
  const goesOn: ListFilter["kinds"] = ["processing", "waiting", "scheduled"];
  const left: ListFilter = { ...filter, kinds: [...goesOn, "blocked"], limit: 1 };
  let [last] = await store.keys(left);
  // One is enough to go on, the newest, which mostly ends last: there may be very many, and each may change something.
  async function isOneLeft(): Promise<number> {
    if (last === undefined) return 0;
    const isLeft = (await store.keys({ ...left, keys: [last] })).length > 0;
    if (!isLeft) [last] = await store.keys(left);
    if (last === undefined) return 0;
    // Those that wait for others may do so behind one that waits for somebody.
    return await store.isWorkLeft() || (await store.keys({ ...left, kinds: goesOn })).length > 0 ? 1 : 0;
  }
  const failures = () => store.keys({ ...filter, kinds: ["dead", "cancelled"], limit: Infinity });
  const before = new Set(await failures());
  if (last === undefined) await hintAtTags(store, filter);
  const isOver = await untilOver(
    store,
    changes,
    until,
    isOneLeft,
    async () => (await store.keys({ ...left, limit: Infinity })).length,
  );
  if (!isOver) return timedOut;
  return tellFailed((await failures()).filter((key) => !before.has(key)).length);
}

/** Says how many jobs ended in another way than completed, if any; gives the exit status. */
function tellFailed(failed: number): number {
  if (failed > 0) printMessage(`${counted(failed, "job")} failed or cancelled meanwhile`);
  return failed > 0 ? 1 : 0;
}

/**
 * Looks whether jobs are left after every change, until none is; false when the time is over before. `left` gives their
 * number, or if that is `all` any number over 0.
 */
async function untilOver(
  store: Store,
  changes: Changes,
  until: number,
  left: () => Promise<number>,
  all = left,
): Promise<boolean> {
  for (let isFirst = true;; isFirst = false) {
    const count = await left();
    if (count === 0) return true;
    const time = until - performance.now();
    if (time <= 0) {
      printMessage(`${counted(await all(), "job")} not ended in time`);
      return false;
    }
    if (isFirst && !hasWorker(await store.processes())) {
      printMessage("No worker runs; start one: queuectl worker start");
    }
    await changes.next(time);
  }
}
