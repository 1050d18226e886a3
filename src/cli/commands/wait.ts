import { QueuectlError } from "../../errors.ts";
import type { JobFilter, JobKind, ListFilter } from "../../store/selection.ts";
import type { JobProgress } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { duration } from "../flag_values.ts";
import { type Changes, changesOf } from "../follow/changes.ts";
import { exitStatusOf, failureWords, hasEnded, hasWorker } from "../follow/words.ts";
import { type FilterFlags, filterOf } from "../job_filter.ts";
import { requireQueues, requireTags } from "../known_words.ts";
import { openQueue } from "../open_queue.ts";
import { counted } from "../output.ts";
import { printMessage } from "../standard_streams.ts";

/** What is not over yet; held jobs wait for somebody. */
const openKinds: readonly JobKind[] = ["processing", "waiting", "scheduled", "blocked"];

/** Jobs that are named when the time is over. */
const mostNamed = 5;

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
  await requireTags(store, filter?.tags);
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
  const stillOpen = () =>
    Promise.resolve({ count: open.size, ids: [...open].map((seq) => jobs.get(seq)!.id) });
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
  }, stillOpen);
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
  const isOver = await untilOver(store, changes, until, () => store.countOpen(), async () => ({
    count: await store.countOpen(),
    ids: await idsOf(store, { kinds: openKinds }),
  }));
  if (!isOver) return timedOut;
  return tellFailed(await failures() - before);
}

async function waitForFilter(
  store: Store,
  changes: Changes,
  until: number,
  filter: JobFilter,
): Promise<number> {
  const left: ListFilter = { ...filter, kinds: openKinds, limit: 1 };
  let [last] = await store.keys(left);
  // One is enough to go on, the newest, which mostly ends last: there may be very many, and each may change something.
  async function isOneLeft(): Promise<number> {
    if (last === undefined) return 0;
    const isLeft = (await store.keys({ ...left, keys: [last] })).length > 0;
    if (!isLeft) [last] = await store.keys(left);
    return last === undefined ? 0 : 1;
  }
  const failures = () => store.keys({ ...filter, kinds: ["dead", "cancelled"], limit: Infinity });
  const before = new Set(await failures());
  const isOver = await untilOver(
    store,
    changes,
    until,
    isOneLeft,
    async () => ({
      count: (await store.keys({ ...left, limit: Infinity })).length,
      ids: await idsOf(store, left),
    }),
  );
  if (!isOver) return timedOut;
  return tellFailed((await failures()).filter((key) => !before.has(key)).length);
}

/** The ids of the oldest jobs of a filter, no more than can be told. */
const idsOf = async (store: Store, filter: JobFilter) =>
  (await store.list({ ...filter, sort: { by: "created", descending: false }, limit: mostNamed })).map((
    { id },
  ) => id);

/** Says how many jobs ended in another way than completed, if any; gives the exit status. */
function tellFailed(failed: number): number {
  if (failed > 0) printMessage(`${counted(failed, "job")} failed or cancelled meanwhile`);
  return failed > 0 ? 1 : 0;
}

/**
 * Looks whether jobs are left after every change, until none is; false when the time is over before. `left` gives their
 * number, or any over 0; `all` the right one, and their ids, or the first of them.
 */
async function untilOver(
  store: Store,
  changes: Changes,
  until: number,
  left: () => Promise<number>,
  all: () => Promise<{ count: number; ids: readonly string[] }>,
): Promise<boolean> {
  for (let isFirst = true;; isFirst = false) {
    const count = await left();
    if (count === 0) return true;
    const time = until - performance.now();
    if (time <= 0) {
      const { count, ids } = await all();
      const names = ids.slice(0, mostNamed).join(", ") + (count > mostNamed ? ", …" : "");
      printMessage(`${counted(count, "job")} not ended in time${names && `: ${names}`}`);
      return false;
    }
    if (isFirst && !hasWorker(await store.processes())) {
      printMessage("No worker runs; start one: queuectl worker start");
    }
    await changes.next(time);
  }
}
