/**
 * What queuectl costs, in one table: `deno task bench [--rounds N] [NAME...]`. `QUEUECTL_TEST_PROGRAM` names an
 * executable to measure instead of the source. Exits 1 when a target is missed.
 */

import { parseArgs } from "node:util";
import { idleWorker, latency, runningSlots } from "./idle.ts";
import { sleepingJobs, trueJobs } from "./jobs.ts";
import { commands, postgresCommands } from "./commands.ts";
import { claims } from "./large_queue.ts";
import { lifeOfJob } from "./life.ts";
import { longRun } from "./long_run.ts";
import { describeMachine } from "./machine.ts";
import { postgresChurn, postgresQueue } from "./postgres.ts";
import { type Row, table } from "./report.ts";
import { manyLines, oneEnqueue } from "./start_up.ts";
import { bytesOfJob, storeAlone } from "./store.ts";

/** The measures, by the names that choose them. */
const measures: Record<string, (rounds: number) => Promise<Row[]>> = {
  "jobs": trueJobs,
  "sleep": sleepingJobs,
  "store": storeAlone,
  "enqueue": oneEnqueue,
  "lines": manyLines,
  "latency": latency,
  "idle": idleWorker,
  "slots": runningSlots,
  "claims": claims,
  "commands": commands,
  "bytes": bytesOfJob,
  "long": longRun,
  "postgres": postgresQueue,
  "churn": postgresChurn,
  "postgres-commands": postgresCommands,
  "life": lifeOfJob,
};

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "5" } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in measures));
if (unknown.length > 0) {
  console.error(`No measure ${unknown.join(", ")}; there are ${Object.keys(measures).join(", ")}`);
  Deno.exit(2);
}
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number above 0, not ${values.rounds}`);
  Deno.exit(2);
}

console.log(`${describeMachine()}\nmedian of ${rounds} interleaved rounds\n`);
const rows: Row[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(measures)) {
  console.error(`measuring: ${name}`);
  rows.push(...await measures[name](rounds));
}
console.log(table(rows));
