/** What commands that change jobs say about it: each job that was named, the number of those of a filter, or JSON. */

import type { Changed, SideEffects } from "../../store/side_effects.ts";
import { isNamed, type Selection } from "../../store/job_filter.ts";
import type { Store } from "../../store/store.ts";
import { isReached } from "../follow/describe_waiting.ts";
import { counted, json } from "../output/output.ts";
import { print, printLines, printMessage } from "../output/standard_streams.ts";

/** How one command puts it. */
export interface Words {
  /** Behind `Job ID` and `3 jobs`. */
  done: string;
  /** Where a filter has selected nothing. */
  none: string;
  /** What became of the dependants of those, behind `3 dependants`. */
  dependants?: string;
}

/** Tells which jobs were changed, and what else came of it. */
export async function tellChanged(
  selection: Selection,
  { ids, effects }: Changed,
  words: Words,
  asJson: boolean | undefined,
): Promise<void> {
  if (asJson) return await print(json({ count: ids.length, ids, ...jsonOf(words, effects) }) + "\n");
  const lines = ids.map((id) => `Job ${id} ${words.done}`);
  if (isNamed(selection)) return await tellNamed(lines, sideEffects(words, effects));
  const others = sideEffects(words, effects);
  if (ids.length === 0 && others.length === 0) return await printLines(words.none);
  await printLines(`${[`${counted(ids.length, "job")} ${words.done}`, ...others].join("; ")}.`);
}

/**
 * Whether a worker does at once what was asked of the commands of `jobs`. Where none runs, says so on standard error: it
 * is kept, and done by the next one.
 */
export async function tellReached(store: Store, jobs: number): Promise<boolean> {
  if (jobs === 0 || isReached(await store.processes())) return true;
  printMessage("No worker runs; this takes effect when one starts: queuectl worker start");
  return false;
}
/** A line for each named job; what else came of it is in that of a single one, or behind those of several. */
export async function tellNamed(lines: readonly string[], others: readonly string[]): Promise<void> {
  if (lines.length === 1) return await printLines(`${[...lines, ...others].join("; ")}.`);
  await printLines(...[...lines, ...others.length > 0 ? [others.join("; ")] : []].map((line) => `${line}.`));
}

/** Side effects in words. */
export function sideEffects(words: Words, effects: SideEffects): string[] {
  const { dependants, stay, keyTaken, parentFailed } = effects;
  const taken = (count: number) =>
    count === 1 ? "another job has its unique key" : "other jobs have their unique keys";
  return [
    ...dependants > 0 ? [`${counted(dependants, "dependant")} ${words.dependants}`] : [],
    ...stay > 0 ? [`${counted(stay, "dependant")} skipped: ${taken(stay)}`] : [],
    ...keyTaken > 0 ? [`${counted(keyTaken, "job")} skipped: ${taken(keyTaken)}`] : [],
    ...parentFailed > 0
      ? [
        `${counted(parentFailed, "job")} skipped: a job that ${
          parentFailed === 1 ? "it waits" : "they wait"
        } for has failed`,
      ]
      : [],
  ];
}

/** The fields of the JSON for it. */
function jsonOf({ dependants }: Words, effects: SideEffects) {
  if (dependants === undefined) return {};
  const { stay, keyTaken, parentFailed } = effects;
  // Only what goes back can be left.
  const left = dependants === cameBack ? { left: stay + keyTaken + parentFailed } : {};
  return { dependants: effects.dependants, ...left };
}

/** {@link Words.dependants} of a retry. */
export const cameBack = "put back";
