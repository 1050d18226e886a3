/** `dlq`: the jobs that have used up their attempts. */

import { QueuectlError } from "../../base/errors.ts";
import type { Job } from "../../job/job.ts";
import type { Selection } from "../../store/job_filter.ts";
import { cameBack, tellChanged } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { type ChangeFlags, changesOf } from "../arguments/job_changes.ts";
import { type FilterFlags, filterOf } from "../arguments/job_filter.ts";
import { changeKnown } from "../arguments/unknown_names.ts";
import { type PageFlags, pageOf } from "../arguments/pagination.ts";
import { jobTable, readColumns } from "../output/job_columns.ts";
import { openQueue } from "../open_queue.ts";
import { deadJobTable } from "../output/output.ts";
import { printList } from "./list.ts";

type DeadFilterFlags = Omit<FilterFlags, "state">;
type ActFlags = DeadFilterFlags & { all?: boolean; json?: boolean };

/** Prints the newest dead jobs, oldest of them first. */
export async function dlqList(
  this: Context,
  flags: DeadFilterFlags & PageFlags & { columns?: string },
): Promise<void> {
  const columns = flags.columns === undefined ? undefined : readColumns(flags.columns);
  const [filter, page] = [filterOf(flags), pageOf(flags)];
  await using store = await openQueue(this, "empty");
  const table = flags.json ? null : {
    columns: columns ?? ["id", "command", "error"],
    piped: columns ? (jobs: AsyncIterable<Job>) => jobTable(jobs, columns) : deadJobTable,
  };
  await printList(store, { ...filter, kinds: ["dead"] }, page, {
    empty: "No jobs in DLQ.\n",
    table,
    columns,
  });
}

/** dead → pending, with no attempts: the named jobs, those of a filter, or all. */
export async function dlqRetry(
  this: Context,
  flags: ActFlags & ChangeFlags,
  ...ids: string[]
): Promise<void> {
  const selection = deadJobs(ids, flags);
  const changes = await changesOf(flags);
  await using store = await openQueue(this, "empty");
  const retried = await changeKnown(store, selection, () => store.dlqRetry(selection, changes));
  const words = { done: "moved back to pending queue", none: none(selection), dependants: cameBack };
  await tellChanged(selection, retried, words, flags.json);
}

/** dead → (gone): the named jobs, those of a filter, or all. */
export async function dlqPurge(this: Context, flags: ActFlags, ...ids: string[]): Promise<void> {
  const selection = deadJobs(ids, flags);
  await using store = await openQueue(this, "empty");
  const purged = await changeKnown(store, selection, () => store.dlqPurge(selection));
  const words = { done: "purged", none: none(selection), dependants: "cancelled" };
  await tellChanged(selection, purged, words, flags.json);
}

/** Prints all about a dead job. Throws `conflict` for one that is not. */
export async function dlqShow(this: Context, flags: { json?: boolean }, id: string): Promise<void> {
  {
    await using store = await openQueue(this, "empty");
    const { job } = await store.detail(id);
    if (job.state !== "dead") {
      throw new QueuectlError(
        "conflict",
        `Job "${job.id}" is not in the DLQ: its state is ${job.state}; queuectl show has any job`,
      );
    }
  }
  const { show } = await import("./show.ts");
  await show.call(this, flags, id);
}

const none = (selection: Selection) => selection === "all" ? "No jobs in DLQ." : "No such jobs in DLQ.";

function deadJobs(ids: readonly string[], flags: ActFlags): Selection {
  const filter = filterOf(flags);
  const ways = [ids.length > 0 && "the ids of jobs", flags.all && "--all", filter && "a filter"].filter((
    way,
  ) => way);
  if (ways.length > 1) throw new QueuectlError("usage", `Give ${ways.join(" or ")}, not both`);
  if (ways.length === 0) {
    throw new QueuectlError("usage", "Argument ID is missing; give ids of jobs, or --all");
  }
  return flags.all ? "all" : filter ?? [...new Set(ids)];
}
