import type { JobRun } from "./job_run.ts";

/** Cuts the outputs of runs that have grown too long, whenever it is called; `report` is told once what fails. */
export function createOutputCutter(report: (text: string) => void): (runs: Iterable<JobRun>) => void {
  const uncut = new WeakSet<JobRun>();
  return (runs) => {
    for (const run of runs) {
      try {
        run.cutOutput();
      } catch (error) {
        // Tried again at the next look; the command goes on either way.
        if (!uncut.has(run)) {
          report(`cannot cut the output of job ${run.claim.id}: ${(error as Error).message}`);
        }
        uncut.add(run);
      }
    }
  };
}
