/** Side effects of a change: dependants that changed too, jobs that were skipped; and who of several gets a unique key. Pure. */

/** How many other jobs were changed too, and how many were left. */
export interface SideEffects {
  /** Jobs that wait for those that were changed, and were cancelled or came back with them. */
  dependants: number;
  /** Such jobs that would have come back, and stay cancelled because another one has their unique key. */
  stay: number;
  /** Jobs of a filter that were left because another one has their unique key. */
  keyTaken: number;
  /** Jobs of a filter that were left because one that they wait for has failed. */
  parentFailed: number;
}

/** None at all. */
export const noSideEffects: SideEffects = { dependants: 0, stay: 0, keyTaken: 0, parentFailed: 0 };

/** The jobs that an operation has changed, by their ids, and its side effects. */
export interface Changed {
  ids: string[];
  effects: SideEffects;
}

/** These jobs, and other effects where there are some. */
export const changed = (jobs: readonly { id: string }[], effects: Partial<SideEffects> = {}): Changed => ({
  ids: jobs.map(({ id }) => id),
  effects: { ...noSideEffects, ...effects },
});

/** A job with a unique key. */
export interface KeyedJob {
  seq: number;
  id: string;
  key: string;
}

/** The unique keys of some jobs, and who has them in the queue. */
export interface Keys {
  jobs: readonly KeyedJob[];
  holders: readonly KeyedJob[];
}

/**
 * Which of these jobs cannot go back into the queue, with the jobs that have their keys: `holderOf` has those which are in
 * it, by their keys, and gets those that can go back; of several with one key that is the newest.
 */
export function takeKeys(jobs: readonly KeyedJob[], holderOf: Map<string, KeyedJob>): Map<number, KeyedJob> {
  const left = new Map<number, KeyedJob>();
  for (const job of jobs.toSorted((a, b) => b.seq - a.seq)) {
    const holder = holderOf.get(job.key);
    if (holder === undefined) holderOf.set(job.key, job);
    else if (holder.seq !== job.seq) left.set(job.seq, holder);
  }
  return left;
}

/** The same of all these jobs at once. */
export const withoutKeys = ({ jobs, holders }: Keys): Map<number, KeyedJob> =>
  takeKeys(jobs, new Map(holders.map((holder) => [holder.key, holder])));
