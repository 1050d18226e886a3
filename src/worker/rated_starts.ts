/** Which commands have begun, of runs that a rate counts from then: what the store is to be told. */

import type { Claim } from "../job/job.ts";
import { delay } from "../base/delay.ts";
import type { JobRun } from "./run/job_run.ts";
import { hasOutput } from "./spool/spool_output.ts";

/** Milliseconds between two looks at whether a command has begun. */
const [shortestLook, longestLook] = [2, 50];

export interface BegunRuns {
  /** Those that the store has not been told of yet. */
  readonly claims: readonly Claim[];
  /** Finds when the command of a run begins, as long as the run goes on. */
  watch(run: JobRun, goesOn: () => boolean): void;
  /** A run has ended: it has begun, or never will. */
  noteEnd(claim: Claim): void;
  /** The store has been told of the first so many. */
  told(count: number): void;
}

/** Calls `wake` when there is something to tell that nobody waits for otherwise. */
export function createBegunRuns(wake: () => void): BegunRuns {
  const claims: Claim[] = [];

  function note(claim: Claim): void {
    if (!claim.rated) return;
    claim.rated = false;
    claims.push(claim);
  }

  async function untilBegun({ claim, files }: JobRun, goesOn: () => boolean): Promise<void> {
    const startedAt = performance.now();
    while (goesOn() && claim.rated) {
      if (hasOutput(files)) {
        note(claim);
        return wake();
      }
      // Each look comes later by a quarter.
      const age = performance.now() - startedAt;
      await delay(Math.min(longestLook, Math.max(shortestLook, age / 4)));
    }
  }

  return {
    claims,
    watch(run, goesOn) {
      if (run.claim.rated) void untilBegun(run, goesOn);
    },
    noteEnd: note,
    told: (count) => void claims.splice(0, count),
  };
}
