/** What commands that change jobs say about it: each job that was named, the number of those of a filter, or JSON. */

import { printable } from "../printable.ts";
import { isNamed, type Selection } from "../store/selection.ts";
import { counted, json } from "./output.ts";
import { print, printAll } from "./standard_streams.ts";

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
