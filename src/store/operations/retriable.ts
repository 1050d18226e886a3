/** Which jobs can be retried although they wait for others. Pure. */

import type { JobState } from "../../job/job.ts";
import { type FoundJob, parentFailed } from "../errors.ts";
import { number, type Row, text } from "../rows.ts";

/**
 * Those of these jobs whose failed parents are among them, and can be retried too; `failures` has a row for each job and
 * parent (`parent`, `child`, and `id` and `state` of the parent). With `all` the others throw `conflict`.
 */
export function retriable(jobs: readonly FoundJob[], failures: readonly Row[], all: boolean): FoundJob[] {
  const left = new Map(jobs.map((job) => [job.seq, job]));
  const ofParent = Map.groupBy(failures, (edge) => number(edge, "parent"));
  const broken = failures.filter((edge) => !left.has(number(edge, "parent")));
  // Grows while it is gone through: who is left out is no parent that is retried.
  for (const edge of broken) {
    const child = left.get(number(edge, "child"));
    if (!child) continue;
    if (all) throw parentFailed(child.id, text(edge, "id"), text(edge, "state") as JobState);
    left.delete(child.seq);
    for (const next of ofParent.get(child.seq) ?? []) broken.push(next);
  }
  return [...left.values()];
}
