/** The words that workers say about jobs: the original program's. */

import { formatSeconds } from "../base/duration.ts";
import type { Finished } from "../job/job.ts";

/** What became of a job after a run; null where the run was not recorded, because the job has another owner. */
export function describeFinished(id: string, result: Finished | null): string {
  if (result === null) return `job ${id} belongs to another worker now, this result is dropped`;
  switch (result.next.state) {
    case "completed":
      return `job ${id} completed successfully`;
    case "failed":
      return `job ${id} failed, retry in ${formatSeconds(result.next.delay)}s`;
    case "dead":
      return `job ${id} moved to DLQ${result.next.reason === undefined ? "" : `: ${result.next.reason}`}`;
    case "cancelled":
      return `job ${id} cancelled${result.next.error === undefined ? "" : `: ${result.next.error}`}`;
    case "pending":
      return result.next.delay === undefined
        ? `job ${id} handed back to the queue`
        : `job ${id} asks for a later try, in ${formatSeconds(result.next.delay)}s`;
  }
}
