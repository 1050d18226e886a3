/** Jobs on their way into a store. */

import type { NewJob } from "../job/job.ts";
import { addedTwice } from "./errors.ts";

/** What became of a new job: its id, or that of another one with its unique key, which is kept in its place. */
export interface Enqueued {
  id: string;
  existing: boolean;
}

/** Jobs that are being added, all or none; see `Store.intake`. */
export interface Intake {
  /**
   * Adds jobs, in their order; nothing is in the queue before {@link commit}. Gives how many were added: fewer where the
   * next one has an id that was added already, see {@link addedTwice}.
   */
  add(jobs: readonly NewJob[]): number;
  /**
   * Puts all jobs into the queue, in their order, as `Store.enqueue` does; gives the number of those that are not
   * there already by their unique keys.
   */
  commit(): Promise<number>;
  /** The ids that were added, in order; after {@link commit} in place of a job that was not stored that of the kept one. */
  ids(): Iterable<string>;
  /** What became of them, in the same order; only after {@link commit}. */
  results(): Iterable<Enqueued>;
  [Symbol.dispose](): void;
}

/** (new) → pending, all or none, for jobs that have to be collected first. */
export async function enqueueCollected(collecting: Intake, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  using intake = collecting;
  const added = intake.add(jobs);
  if (added < jobs.length) throw addedTwice(jobs[added].id);
  await intake.commit();
  return [...intake.results()];
}
