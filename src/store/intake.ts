/** Jobs on their way into a store: types only. */

import type { NewJob } from "../job/job.ts";

/** What became of a new job: its id, or that of another one with its unique key, which is kept in its place. */
export interface Enqueued {
  id: string;
  existing: boolean;
}

/** Jobs that are being added, all or none; see `Store.intake`. */
export interface Intake {
  /** Adds a job; nothing is in the queue before {@link commit}. Throws `conflict` for an id that was added already. */
  add(job: NewJob): void;
  /**
   * Puts all jobs into the queue, in their order, as `Store.enqueue` does; gives the number of those that are not
   * there already by their unique keys.
   */
  commit(): Promise<number>;
  /** The ids that were added, in order; after {@link commit} in place of a job that was not stored that of the kept one. */
  ids(): Iterable<string>;
  [Symbol.dispose](): void;
}
