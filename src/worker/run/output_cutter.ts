import type { EndedRun, JobRun } from "./job_run.ts";
import { isBeingRead } from "../spool/output_readers.ts";
import { removeFiles } from "../spool/spool.ts";
import { spooledLength } from "../spool/spool_output.ts";

/** Bytes of all outputs together that are left to readers; but the newest run's are in any case. */
const longestUnread = 512 * 1024 ** 2;

/** Takes care that what commands print does not fill the disk. */
export interface OutputCutter {
  /** Cuts the outputs of runs that have grown too long, and removes what was left to readers; to be called again and again. */
  look(runs: Iterable<JobRun>): void;
  /** Removes the files of a run whose end was recorded, once nobody reads what the store does not have of it. */
  remove(run: EndedRun): void;
}

/** What is to be known of a run: not what it has printed, which may be much. */
type Run = Pick<EndedRun, "files" | "claim">;

/** `limit` are the bytes that are kept of an output; what fails is told to `report`, once for each run. */
export function createOutputCutter(report: (text: string) => void, limit: () => number): OutputCutter {
  const told = new WeakSet<Run>();
  const unread = new Set<Run & { length: number }>();
  const isUnread = ({ files, claim }: Run) => isBeingRead(files, claim.id);

  /** What fails is tried again at the next look; the command goes on either way. */
  function attempt(what: string, run: Run, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!told.has(run)) {
        report(`cannot ${what} the output of job ${run.claim.id}: ${(error as Error).message}`);
      }
      told.add(run);
    }
  }

  /** Leaves the files to readers, and takes away from these what they have not read for longest, where it is too much. */
  function leave({ files, claim }: Run): void {
    unread.add({ files, claim, length: spooledLength(files) });
    let total = unread.values().reduce((sum, { length }) => sum + length, 0);
    for (const oldest of unread) {
      if (total <= longestUnread || unread.size === 1) return;
      total -= oldest.length;
      unread.delete(oldest);
      removeFiles(oldest.files);
    }
  }

  return {
    look(runs) {
      for (const run of runs) attempt("cut", run, () => run.look());
      for (const run of unread) {
        attempt("remove", run, () => {
          if (isUnread(run)) return;
          removeFiles(run.files);
          unread.delete(run);
        });
      }
    },
    remove(run) {
      const { output, errorOutput } = run.result;
      // A character takes up to four bytes: a shorter text is all that was printed.
      const isShort = 4 * Math.max(output.length, errorOutput.length) < limit();
      if (!isShort && isUnread(run)) leave(run);
      else removeFiles(run.files, run.cut);
    },
  };
}
