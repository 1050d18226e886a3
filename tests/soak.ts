/**
 * A long storm of kills: `deno task soak --minutes 10 [--seed N]`. Exits 1, and keeps the folder, when anything is not
 * as it must be.
 */

import { parseArgs } from "node:util";
import { storm } from "./crash/storm.ts";
import { seededRandom } from "./helpers/random.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? seededRandom().seed);

const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "queuectl-soak-" }));
console.log(`A storm of ${minutes} minutes in ${path}; to repeat it: --seed ${seed}`);

// As many jobs as two processors manage while most of their time goes into starting what was killed.
const batches = Math.ceil(minutes * 60);
const report = await storm(path, {
  seed,
  duration: minutes * 60_000,
  batches,
  batchSize: 12,
  managers: 3,
  workers: 2,
  signals: ["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"],
  pause: [50, 400],
});

for (const violation of report.violations) console.error(violation);
const kills = Object.entries(report.kills).sort();
console.log(`jobs        ${report.jobs}`);
console.log(`kills       ${kills.reduce((sum, [, count]) => sum + count, 0)}`);
for (const [what, count] of kills) console.log(`  ${what.padEnd(26)} ${count}`);
console.log(`runs        ${report.runs}`);
console.log(
  `hand-backs  ${report.handedBackRuns} while running, ${report.handedBackUnstarted} before the start`,
);
console.log(`overlaps    ${report.overlaps}`);
console.log(`lost        ${report.lost}`);
console.log(
  `integrity   ${report.violations.length === 0 ? "ok" : `${report.violations.length} violations`}`,
);
if (report.violations.length === 0) await Deno.remove(path, { recursive: true });
Deno.exit(report.violations.length === 0 ? 0 : 1);
