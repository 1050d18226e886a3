import type { Store } from "../../store/store.ts";

/**
 * Whether nothing is left to run or to retry in the queues (null: in all of them) unless somebody acts: jobs of paused
 * queues and held ones are not waited for.
 */
export async function isDrained(store: Store, queues: readonly string[] | null): Promise<boolean> {
  return !await store.isWorkLeft(queues);
}
