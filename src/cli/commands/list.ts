import { defaultQueueName, type Job } from "../../job/job.ts";
import type { JobFilter } from "../../store/job_filter.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import {
  cellsOf,
  columnFields,
  columnsWithQueue,
  jobTable,
  readColumns,
  standardColumns,
  terminalColumns,
} from "../output/job_columns.ts";
import { type FilterFlags, filterOf } from "../arguments/job_filter.ts";
import { jobsOf, type Page, type PageFlags, pageOf } from "../arguments/pagination.ts";
import { hintAtTags, requireQueues } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { jobObject, jsonArray, jsonPage } from "../output/output.ts";
import { print, printAll, printMessage } from "../output/standard_streams.ts";
import { fittedTable, terminalSize } from "../output/terminal_width.ts";

export interface ListFlags extends FilterFlags, PageFlags {
  readonly columns?: string;
}

/** Prints jobs: the newest, oldest of them first, or the first in another order. */
export async function list(this: Context, flags: ListFlags): Promise<void> {
  const columns = flags.columns === undefined ? undefined : readColumns(flags.columns);
  const [filter, page] = [filterOf(flags) ?? {}, pageOf(flags)];
  await using store = await openQueue(this, "empty");
  const shown = columns ?? (!flags.json && await hasQueues(store) ? columnsWithQueue : standardColumns);
  await printList(store, filter, page, {
    empty: "No jobs found.\n",
    table: flags.json ? null : { columns: shown, piped: (jobs) => jobTable(jobs, shown) },
    columns,
  });
}

/** Whether jobs are in others than the queue of those that name none. */
async function hasQueues(store: Store): Promise<boolean> {
  return (await store.queueNames()).some((name) => name !== defaultQueueName);
}

/** A table of jobs: its columns on a terminal, and its lines in a pipe or file. */
export interface ListTable {
  columns: readonly string[];
  piped(jobs: AsyncIterable<Job>): AsyncIterable<string>;
}

/** Prints a list as a table, or where there is none as JSON, of these columns only or with all there is. */
export async function printList(
  store: Store,
  filter: JobFilter,
  page: Page,
  { empty, table, columns }: {
    empty: string;
    table: ListTable | null;
    columns?: readonly string[];
  },
): Promise<void> {
  await requireQueues(store, filter.queues);
  const { jobs, next, more } = await jobsOf(store, filter, page);
  if (!jobs) await hintAtTags(store, filter);
  if (table !== null) await (jobs ? printAll(tableLines(table, jobs)) : print(empty));
  else {
    const objects = !jobs ? [] : columns ? fieldsOf(jobs, columns) : jobObjects(store, jobs);
    await printAll(page.withCursor ? jsonPage(next, objects) : jsonArray(objects));
  }
  // Above a long table it would scroll away.
  if (more !== undefined) printMessage(more);
}

function tableLines({ columns, piped }: ListTable, jobs: AsyncIterable<Job>): AsyncIterable<string> {
  const size = terminalSize();
  if (size === undefined) return piped(jobs);
  return fittedTable(terminalColumns(columns), cellsOf(jobs, columns), size.columns);
}

async function* fieldsOf(jobs: AsyncIterable<Job>, columns: readonly string[]) {
  for await (const job of jobs) yield columnFields(jobObject(job, null), columns);
}

/** The jobs as JSON objects, the output of each read when it is its turn: all together may not fit into memory. */
async function* jobObjects(store: Store, jobs: AsyncIterable<Job>) {
  for await (const job of jobs) yield jobObject(job, await store.lastOutput(job.id));
}
