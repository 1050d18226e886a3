/**
 * A long storm of kills, then 16 processes on one database: `deno task soak --minutes 10 [--seed N]`. With `--hosts`
 * instead: 2000 jobs on three hosts, of which one is cut off. Exits 1, and keeps the folders, when anything is not as it
 * must be.
 */

import { parseArgs } from "node:util";
import { storm } from "./crash/storm.ts";
import { problemsIn } from "./helpers/aftermath.ts";
import { contend, miscounted } from "./helpers/contention.ts";
import { runProgram } from "./helpers/program.ts";
import { seededRandom } from "./helpers/random.ts";

/** Milliseconds for which the 16 processes contend. */
const contention = 20_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    hosts: { type: "boolean" },
    jobs: { type: "string" },
  },
});
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

async function hostsFor(jobs: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  if (!Deno.env.get("QUEUECTL_TEST_POSTGRES")) {
    const { startCluster } = await import("./helpers/postgres_cluster.ts");
    const cluster = await startCluster();
    if (!cluster) throw new Error("PostgreSQL is not installed, and QUEUECTL_TEST_POSTGRES names no server");
    Deno.env.set("QUEUECTL_TEST_POSTGRES", stack.use(cluster).url);
  }
  // Loaded now, because they ask for the server at once.
  const { withSharedQueue } = await import("./helpers/shared_queue.ts");
  const { threeHosts } = await import("./crash/three_hosts.ts");
  let violations = 0;
  await withSharedQueue(async (queue) => {
    const { hosts, outcomes, violations: found, ...report } = await threeHosts(queue, jobs);
    for (const [what, value] of Object.entries(report)) say(what, value);
    for (const [name, copies] of Object.entries(hosts)) say(`  copies on ${name}`, copies);
    for (const [outcome, count] of Object.entries(outcomes)) say(`  runs ${outcome}`, count);
    for (const violation of found) console.error(violation);
    integrity(violations = found.length);
  });
  return violations;
}

if (values.hosts) {
  const jobs = Number(values.jobs ?? 2000);
  console.log(`${jobs} jobs on three hosts, of which one is cut off`);
  Deno.exit(await hostsFor(jobs) === 0 ? 0 : 1);
}

console.log(`A storm of ${minutes} minutes; to repeat it: --seed ${seed}`);
let violations = await inFolder(stormFor);
console.log(`16 processes on one database for ${contention / 1000} s`);
violations += await inFolder(contendFor);
Deno.exit(violations === 0 ? 0 : 1);
