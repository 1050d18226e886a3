/**
 * A long storm of kills, then 16 processes on one database: `deno task soak --minutes 10 [--seed N]`. Exits 1, and
 * keeps the folders, when anything is not as it must be.
 */

import { parseArgs } from "node:util";
import { storm } from "./crash/storm.ts";
import { problemsIn } from "./helpers/aftermath.ts";
import { contend, miscounted } from "./helpers/contention.ts";
import { runProgram } from "./helpers/program.ts";
import { seededRandom } from "./helpers/random.ts";

/** Milliseconds for which the 16 processes contend. */
const contention = 20_000;

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? seededRandom().seed);

/** Runs `action` in a folder of its own, which stays when that gives violations. */
async function inFolder(action: (path: string) => Promise<string[]>): Promise<number> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "queuectl-soak-" }));
  const violations = await action(path);
  for (const violation of violations) console.error(violation);
  if (violations.length === 0) await Deno.remove(path, { recursive: true });
  else console.error(`kept: ${path}`);
  return violations.length;
}

const say = (name: string, value: string | number) => console.log(`${name.padEnd(30)} ${value}`);
const integrity = (violations: number) =>
  say("integrity", violations === 0 ? "ok" : `${violations} violations`);

async function stormFor(path: string): Promise<string[]> {
  const report = await storm(path, {
    seed,
    duration: minutes * 60_000,
    // As many as two processors manage while most of their time goes into starting what was killed.
    batches: Math.ceil(minutes * 60),
    batchSize: 12,
    managers: 3,
    workers: 2,
    signals: ["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"],
    pause: [50, 400],
  });
  const kills = Object.entries(report.kills).sort();
  say("jobs", report.jobs);
  say("kills", kills.reduce((sum, [, count]) => sum + count, 0));
  for (const [what, count] of kills) say(`  ${what}`, count);
  say("runs", report.runs);
  say("hand-backs of running commands", report.handedBackRuns);
  say("hand-backs before the start", report.handedBackUnstarted);
  say("overlaps", report.overlaps);
  say("lost", report.lost);
  integrity(report.violations.length);
  return report.violations;
}

async function contendFor(path: string): Promise<string[]> {
  const { ids, times, complaints } = await contend(path, contention);
  const run = (...args: string[]) =>
    runProgram(args, { cwd: path, env: { QUEUECTL_DB: `${path}/queuectl.db` } });
  const violations = [...complaints, ...miscounted(path, ids), ...await problemsIn(path, run)];
  say("jobs", ids.length);
  for (const [what, count] of Object.entries(times)) say(`  ${what}`, count);
  integrity(violations.length);
  return violations;
}

console.log(`A storm of ${minutes} minutes; to repeat it: --seed ${seed}`);
let violations = await inFolder(stormFor);
console.log(`16 processes on one database for ${contention / 1000} s`);
violations += await inFolder(contendFor);
Deno.exit(violations === 0 ? 0 : 1);
