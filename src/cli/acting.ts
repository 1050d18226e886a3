/** What commands that change jobs say about it: each job that was named, the number of those of a filter, or JSON. */

import { printable } from "../printable.ts";
import { isNamed, type Selection } from "../store/selection.ts";
import type { Store } from "../store/store.ts";
import { isReached } from "./follow/words.ts";
import { counted, json } from "./output.ts";
import { print, printAll, printMessage } from "./standard_streams.ts";

/** How one command puts it. */
export interface Words {
  /** Behind `Job ID` and `3 jobs`. */
  done: string;
  /** Where a filter has selected nothing. */
  none: string;
}

/** Tells which jobs were changed. */
export async function tellChanged(
  selection: Selection,
  ids: readonly string[],
  words: Words,
  asJson: boolean | undefined,
): Promise<void> {
  if (asJson) return await print(json({ count: ids.length, ids }) + "\n");
  if (isNamed(selection)) return await printAll(ids.map((id) => `Job ${printable(id)} ${words.done}.\n`));
  await print(ids.length === 0 ? `${words.none}\n` : `${counted(ids.length, "job")} ${words.done}.\n`);
}

/**
 * Whether a worker does at once what was asked of the commands of `jobs`. Where none runs, says so on standard error: it
 * is kept, and done by the next one.
 */
export async function tellReached(store: Store, jobs: number): Promise<boolean> {
  if (jobs === 0 || isReached(await store.processes())) return true;
  printMessage("No worker runs; it takes effect when one is started: queuectl worker start");
  return false;
}
