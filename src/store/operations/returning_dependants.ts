/** Which jobs come back when others, because of which they were cancelled, are to run again. Pure. */

import { type KeyedJob, type Keys, takeKeys } from "../side_effects.ts";
import { number, type Row } from "../rows.ts";

/**
 * Those of these cancelled jobs that wait for none that has failed but such as come back before them. `failures` has a
 * row for each of them and each failed job that it waits for (`child`, `parent`). Who would come back, and has a unique key
 * that another one has, does `stay`, and with it who waits for that one. Looks at every job and every row once.
 */
export function comingBack(
  jobs: readonly number[],
  failures: readonly Row[],
  keys: Keys,
): { back: number[]; stay: Map<number, KeyedJob> } {
  const left = new Map(jobs.map((job) => [job, 0]));
  const childrenOf = new Map<number, number[]>();
  for (const edge of failures) {
    const [parent, child] = [number(edge, "parent"), number(edge, "child")];
    left.set(child, (left.get(child) ?? 0) + 1);
    const children = childrenOf.get(parent);
    if (children) children.push(child);
    else childrenOf.set(parent, [child]);
  }
  const keyed = new Map(keys.jobs.map((job) => [job.seq, job]));
  const holderOf = new Map(keys.holders.map((holder) => [holder.key, holder]));
  const back: number[] = [];
  const stay = new Map<number, KeyedJob>();
  // All at once that wait for no other one: of several with one key the newest of them comes back.
  for (let ready = jobs.filter((job) => left.get(job) === 0); ready.length > 0;) {
    const taken = takeKeys(ready.flatMap((job) => keyed.get(job) ?? []), holderOf);
    const next: number[] = [];
    for (const job of ready) {
      const holder = taken.get(job);
      if (holder !== undefined) {
        stay.set(job, holder);
        continue;
      }
      back.push(job);
      for (const child of childrenOf.get(job) ?? []) {
        const others = left.get(child)! - 1;
        left.set(child, others);
        if (others === 0) next.push(child);
      }
    }
    ready = next;
  }
  return { back, stay };
}

/** The first row of each of these children whose parent does not come back: because of that one it stays cancelled. */
export function stuckBy(children: Iterable<number>, failures: readonly Row[], back: Iterable<number>): Row[] {
  const open = new Set(children);
  const isBack = new Set(back);
  return failures.filter((edge) => !isBack.has(number(edge, "parent")) && open.delete(number(edge, "child")));
}
