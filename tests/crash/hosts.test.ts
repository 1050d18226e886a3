/** Three managers on three hosts: see three_hosts.ts. `deno task soak --hosts` does it with more jobs. */

import assert from "node:assert/strict";
import { sharedTest } from "../helpers/shared_queue.ts";
import { threeHosts } from "./three_hosts.ts";

sharedTest("one of three is cut off and comes back: no job is lost, none overlaps itself", async (queue) => {
  const report = await threeHosts(queue, 300);
  assert.deepEqual(report.violations, [], JSON.stringify(report));
  // All three took part, and of what was cut off something had to be done again.
  assert.ok(Object.values(report.hosts).every((copies) => copies > 0), JSON.stringify(report));
  // At most two for each worker and manager.
  assert.ok(report.sessions > 0 && report.sessions <= 2 * 3 * (1 + 2), JSON.stringify(report));
});
