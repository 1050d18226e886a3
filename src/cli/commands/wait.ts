import { QueuectlError } from "../../base/errors.ts";
import type { JobFilter, JobKind, ListFilter } from "../../store/job_filter.ts";
import type { JobDetail } from "../../store/progress.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { duration } from "../arguments/flag_values.ts";
import { type Changes, changesOf } from "../follow/changes.ts";
import { endObject, exitStatusOf, failureWords, hasEnded } from "../follow/describe_end.ts";
import { detailIfThere, hindrancesOf } from "../follow/obstacles.ts";
import { hasWorker, noWorkerWords } from "../follow/describe_waiting.ts";
import { type FilterFlags, filterOf } from "../arguments/job_filter.ts";
import { requireQueues, requireTags } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { counted, json, jsonArray } from "../output/output.ts";
import { print, printAll, printMessage } from "../output/standard_streams.ts";

/** Jobs that go on by themselves. */
const goingOn: readonly JobKind[] = ["processing", "waiting", "scheduled"];
/** What is not over yet; held jobs wait for somebody. */
const openKinds: readonly JobKind[] = [...goingOn, "blocked"];

/** Jobs that are named when the time is over. */
const mostNamed = 5;

/** The exit status when the time is over, as that of timeout(1). */
const timedOut = 124;

/** What `wait` takes. */
export interface WaitFlags extends Pick<FilterFlags, "queue" | "tag"> {
  all?: boolean;
  timeout?: string;
  json?: boolean;
}

/** Waits until jobs have ended for good, and prints with `--json` how they are then; the exit status is the job's own for one, else 1 if any has failed. */
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
    ? await waitForAll(store, changes, until, flags.json)
    : filter
    ? await waitForFilter(store, changes, until, filter, flags.json)
    : await waitForJobs(store, changes, until, ids, flags.json);
}

/** Waits until these jobs have ended for good; gives the exit status. */
export async function waitForJobs(
  store: Store,
  changes: Changes,
  until: number,
  ids: readonly string[],
  asJson = false,
): Promise<number> {
  const jobs = new Map((await store.find(ids)).map((job) => [job.seq, job]));
  const open = new Set(jobs.keys());
  /** How each has ended: it may be removed before the others have. */
  const ends = new Map<number, ReturnType<typeof endObject>>();
  let failed = 0;
  const removed: string[] = [];
  const openJobs = () => [...open].map((seq) => jobs.get(seq)!);
  const left = await untilOver(store, changes, until, async () => {
    const found = new Map((await store.progress([...open])).map((job) => [job.seq, job]));
    for (const seq of open) {
      const job = found.get(seq);
      const isOver = job !== undefined && hasEnded(job.state);
      const needsDetail = isOver && (asJson || job.state !== "completed");
      const detail = needsDetail ? await detailIfThere(store, job) : undefined;
      if (!job || needsDetail && !detail) {
        // The others are waited for all the same.
        open.delete(seq);
        removed.push(jobs.get(seq)!.id);
        continue;
      }
      jobs.set(seq, job);
      if (!isOver) continue;
      open.delete(seq);
      if (job.state !== "completed") failed = tellFailure({ ...detail!, state: job.state });
      if (asJson) ends.set(seq, endObject(job, detail!.runs.at(-1)));
    }
    return open.size;
  }, {
    left: () => Promise.resolve({ count: open.size, ids: openJobs().map(({ id }) => id) }),
    hindrances: (processes) => hindrancesOf(store, openJobs().slice(0, mostNamed), processes),
  });
  if (asJson) {
    await printAll(jsonArray([...jobs].map(([seq, job]) => ends.get(seq) ?? endObject(job, undefined))));
  }
  if (left > 0) return timedOut;
  if (removed.length > 0) {
    const names = firstOf(removed, removed.length);
    throw new QueuectlError(
      "not_found",
      removed.length === 1 ? `Job ${names} was removed` : `${removed.length} jobs were removed: ${names}`,
    );
  }
  return jobs.size === 1 || failed === 0 ? failed : 1;
}

/** Says how a job has ended that did not complete; gives its exit status. */
function tellFailure(job: JobDetail): number {
  printMessage(failureWords(job));
  return exitStatusOf(job.state, job.runs.at(-1));
}

async function waitForAll(store: Store, changes: Changes, until: number, asJson?: boolean): Promise<number> {
  const isLeft = async () => await store.isWorkLeft() ? 1 : 0;
  const left = await untilOver(store, changes, until, isLeft, {
    left: async () => ({ count: await store.countOpen(), ids: await idsOf(store, { kinds: openKinds }) }),
  });
  if (left === 0) tellKept(await store.countOpen(), "for somebody: for a paused queue, or behind held jobs");
  const { dead, cancelled } = await store.counts();
  return await tellFailed(dead + cancelled, left, asJson);
}

async function waitForFilter(
  store: Store,
  changes: Changes,
  until: number,
  filter: JobFilter,
  asJson?: boolean,
): Promise<number> {
  const open: ListFilter = { ...filter, kinds: openKinds, limit: 1 };
  let [last] = await store.keys(open);
  // One is enough to go on, the newest, which mostly ends last: there may be very many, and each may change something.
  async function isOneLeft(): Promise<number> {
    if (last === undefined) return 0;
    const isLeft = (await store.keys({ ...open, keys: [last] })).length > 0;
    if (!isLeft) [last] = await store.keys(open);
    if (last === undefined) return 0;
    // What it waits for may be in another queue; where nothing goes on at all, it does so behind a held one.
    return (await store.keys({ kinds: goingOn, limit: 1 })).length;
  }
  const countOpen = async () => (await store.keys({ ...open, limit: Infinity })).length;
  const left = await untilOver(store, changes, until, isOneLeft, {
    left: async () => ({ count: await countOpen(), ids: await idsOf(store, open) }),
    hindrances: (processes) =>
      Promise.resolve(
        (filter.queues ?? []).filter((queue) => !hasWorker(processes, queue)).slice(0, mostNamed)
          .map((queue) => capitalized(noWorkerWords(queue, processes))),
      ),
  });
  if (left === 0) tellKept(await countOpen(), "behind held jobs");
  const failed = await store.keys({ ...filter, kinds: ["dead", "cancelled"], limit: Infinity });
  return await tellFailed(failed.length, left, asJson);
}

/** Says how many jobs are left that are not waited for, and why. */
function tellKept(kept: number, why: string): void {
  if (kept > 0) printMessage(`${counted(kept, "job")} left. ${kept === 1 ? "It waits" : "They wait"} ${why}`);
}

const capitalized = (text: string): string => text[0].toUpperCase() + text.slice(1);

/** The first ids of so many, as text. */
const firstOf = (ids: readonly string[], count: number): string =>
  ids.slice(0, mostNamed).join(", ") + (count > mostNamed ? ", …" : "");

/** The ids of the oldest jobs of a filter, no more than can be told. */
const idsOf = async (store: Store, filter: JobFilter) =>
  (await store.list({ ...filter, sort: { by: "created", descending: false }, limit: mostNamed })).map((
    { id },
  ) => id);

/**
 * Says how many jobs ended in another way than completed, if any, however long ago: who waits may come late. Gives the
 * exit status.
 */
async function tellFailed(failed: number, left: number, asJson?: boolean): Promise<number> {
  if (asJson) await print(json({ failed, left }) + "\n");
  if (left > 0) return timedOut;
  if (failed > 0) {
    printMessage(`${counted(failed, "job")} failed or cancelled: queuectl list --state dead,cancelled`);
  }
  return failed > 0 ? 1 : 0;
}

/** What is told of the jobs that are waited for. */
interface Told {
  /** How many are left, and their ids, or the first of them. */
  left(): Promise<{ count: number; ids: readonly string[] }>;
  /** What somebody has to do before they can go on, in a line each. */
  hindrances?(processes: readonly RegisteredProcess[]): Promise<string[]>;
}

/**
 * Looks whether jobs are left after every change, until none is, or the time is over; gives how many are left then.
 * `look` gives their number, or any over 0.
 */
async function untilOver(
  store: Store,
  changes: Changes,
  until: number,
  look: () => Promise<number>,
  { left, hindrances }: Told,
): Promise<number> {
  for (let isFirst = true;; isFirst = false) {
    const count = await look();
    if (count === 0) return 0;
    const time = until - performance.now();
    if (time <= 0) {
      const { count, ids } = await left();
      const names = firstOf(ids, count);
      if (count > 0) printMessage(`${counted(count, "job")} not ended in time${names && `: ${names}`}`);
      return count;
    }
    if (isFirst) {
      const processes = await store.processes();
      if (!hasWorker(processes)) printMessage("No worker runs; start one: queuectl worker start");
      else for (const line of await hindrances?.(processes) ?? []) printMessage(line);
    }
    await changes.next(time);
  }
}
