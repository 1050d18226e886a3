import type { Store } from "../store/store.ts";

/** Whether nothing is left to run or to retry but what is held. */
export async function isDrained(store: Store): Promise<boolean> {
  return await store.countOpen() === 0;
}
