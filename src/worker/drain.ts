import type { Store } from "../store/store.ts";

/** Whether nothing is left to run or to retry. */
export async function isDrained(store: Store): Promise<boolean> {
  const { pending, processing, failed } = await store.counts();
  return pending + processing + failed === 0;
}
