/** A short storm; `deno task soak` is the long one. QUEUECTL_STORM_SEED repeats one that failed. */

import assert from "node:assert/strict";
import { leftOut } from "../helpers/left_out.ts";
import { hasFlock } from "../helpers/storm_jobs.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { seededRandom } from "../helpers/random.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { storm, type StormOptions, type StormReport } from "./storm.ts";

const short: Omit<StormOptions, "seed" | "signals" | "lease"> = {
  duration: 6000,
  batches: 8,
  batchSize: 10,
  managers: 3,
  workers: 2,
  pause: [50, 300],
};

/** A storm in the queue's folder, after which nothing may be wrong. */
async function calmAfter(
  queue: Queue,
  options: Pick<StormOptions, "signals" | "lease">,
): Promise<StormReport> {
  const seed = Number(Deno.env.get("QUEUECTL_STORM_SEED") || seededRandom().seed);
  const report = await storm(queue, { ...short, seed, ...options }, queue.watch);
  const { violations, ...counts } = report;
  assert.deepEqual(violations, [], `QUEUECTL_STORM_SEED=${seed} ${JSON.stringify(counts)}`);
  assert.equal(report.jobs, short.batches * short.batchSize);
  return report;
}

queueTest("a storm of kill -9, TERM and INT: every job is done, none runs twice at once", async (queue) => {
  await calmAfter(queue, { signals: ["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"], lease: shortLease });
}, { ignore: leftOut(!hasFlock, "Only on Linux: flock and setsid") });

queueTest("a storm of kill -9: every command runs exactly once", async (queue) => {
  const { runs, jobs, handedBackRuns } = await calmAfter(queue, { signals: ["SIGKILL"], lease: 300_000 });
  assert.deepEqual({ runs, handedBackRuns }, { runs: jobs, handedBackRuns: 0 });
}, { ignore: leftOut(!hasFlock, "Only on Linux: flock and setsid") });
