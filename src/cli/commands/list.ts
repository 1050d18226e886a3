import type { Job, JobState } from "../../job/job.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { limit as limitOf, state as stateOf } from "../flag_values.ts";
import { openQueue } from "../open_queue.ts";
import { jobObject, jobTable, jsonArray } from "../output.ts";
import { print, printAll, printMessage } from "../standard_streams.ts";

/** Prints the newest jobs, oldest of them first. */
export async function list(
  this: Context,
  flags: { state?: string; limit?: string; json?: boolean },
): Promise<void> {
  const filter = { state: stateOf(flags.state), limit: limitOf(flags.limit) };
  await using store = await openQueue(this, "empty");
  const jobs = await newestJobs(store, filter);
  if (flags.json) await printAll(jsonArray(jobObjects(store, jobs)));
  else if (jobs.length === 0) await print("No jobs found.\n");
  else await printAll(jobTable(jobs));
}

/** The newest jobs up to the limit; says so on standard error where it left some out. */
export async function newestJobs(
  store: Store,
  { state, limit }: { state: JobState | undefined; limit: number },
): Promise<Job[]> {
  const jobs = await store.list({ kinds: state && [state], limit: limit + 1 });
  if (jobs.length <= limit) return jobs;
  printMessage(`Showing the newest ${limit} jobs; use --limit to see more.`);
  return jobs.slice(1);
}

/** The jobs as JSON objects, the output of each read when it is its turn: all together may not fit into memory. */
export async function* jobObjects(
  store: Store,
  jobs: Iterable<Job>,
): AsyncGenerator<ReturnType<typeof jobObject>> {
  for (const job of jobs) yield jobObject(job, await store.lastOutput(job.id));
}
