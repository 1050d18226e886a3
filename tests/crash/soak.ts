/** A long storm and a long contention on one driver, with a report. */

import { openStore } from "../../src/store/open.ts";
import { problemsIn, type QueuePlace } from "../helpers/queue_problems.ts";
import { contend, miscounted } from "../helpers/contention.ts";
import type { Driver } from "../helpers/drivers.ts";
import { environment, spoolIn } from "../helpers/program_test.ts";
import { withSharedQueue } from "../helpers/shared_queue.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { storm } from "./storm.ts";
import { threeHosts } from "./three_hosts.ts";

/** Milliseconds for which the 16 processes contend. */
const contention = 20_000;

/** Runs both, each on a queue of its own; the number of violations. */
export async function soak(driver: Driver, minutes: number, seed: number): Promise<number> {
  console.log(`${driver.name}: a storm of ${minutes} minutes; to repeat it: --${driver.name} --seed ${seed}`);
  let violations = await onNewQueue(driver, (queue) => stormFor(queue, minutes, seed));
  console.log(`${driver.name}: 16 processes on one database for ${contention / 1000} s`);
  violations += await onNewQueue(driver, contendFor);
  return violations;
}

/** Three hosts with as many jobs, one of which is cut off; the number of violations. */
export async function soakHosts(jobs: number): Promise<number> {
  console.log(`${jobs} jobs on three hosts, of which one is cut off`);
  let violations: string[] = [];
  await withSharedQueue(async (queue) => {
    const { hosts, outcomes, violations: found, ...report } = await threeHosts(queue, jobs);
    violations = found;
    for (const [what, value] of Object.entries(report)) say(what, value);
    for (const [name, copies] of Object.entries(hosts)) say(`  copies on ${name}`, copies);
    for (const [outcome, count] of Object.entries(outcomes)) say(`  runs ${outcome}`, count);
    for (const violation of found) console.error(violation);
    integrity(found.length);
  });
  return violations.length;
}

/** Runs `action` on a queue in a folder of its own; both stay when that gives violations. */
async function onNewQueue(driver: Driver, action: (queue: QueuePlace) => Promise<string[]>): Promise<number> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "queuectl-soak-" }));
  const place = driver.place(path);
  const env = environment(path, place.url);
  let spool: string;
  {
    await using store = await openStore(place.url, { missing: "create", durable: true });
    spool = spoolIn(env, store.spool);
  }
  const violations = await action({ path, place, spool, env });
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) {
    console.error(`kept: ${path} ${driver.name === "sqlite" ? "" : new URL(place.url).search}`);
    return violations.length;
  }
  await place[Symbol.asyncDispose]();
  await Deno.remove(path, { recursive: true });
  return 0;
}

const say = (name: string, value: string | number) => console.log(`${name.padEnd(30)} ${value}`);
const integrity = (violations: number) =>
  say("integrity", violations === 0 ? "ok" : `${violations} violations`);

async function stormFor(queue: QueuePlace, minutes: number, seed: number): Promise<string[]> {
  const report = await storm(queue, {
    seed,
    duration: minutes * 60_000,
    // As many as two processors manage while most of their time goes into starting what was killed.
    batches: Math.ceil(minutes * 60),
    batchSize: 12,
    managers: 3,
    workers: 2,
    signals: ["SIGKILL", "SIGKILL", "SIGTERM", "SIGINT"],
    pause: [50, 400],
    lease: shortLease,
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

async function contendFor(queue: QueuePlace): Promise<string[]> {
  const { ids, times, complaints } = await contend(queue, contention);
  const violations = [...complaints, ...miscounted(queue.path, ids), ...await problemsIn(queue)];
  say("jobs", ids.length);
  for (const [what, count] of Object.entries(times)) say(`  ${what}`, count);
  integrity(violations.length);
  return violations;
}
