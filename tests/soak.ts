/**
 * A long storm of kills, then 16 processes on one database, on each driver in turn:
 * `deno task soak --minutes 10 [--seed N] [--sqlite | --postgres]`. With `--hosts` instead: 2000 jobs (or `--jobs N`) on
 * three hosts, of which one is cut off. Exits 1, and keeps the folders, when anything is not as it must be.
 */

import { parseArgs } from "node:util";
import { serverForTests } from "./helpers/postgres_cluster.ts";
import { seededRandom } from "./helpers/random.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    sqlite: { type: "boolean" },
    postgres: { type: "boolean" },
    hosts: { type: "boolean" },
    jobs: { type: "string" },
  },
});
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? seededRandom().seed);

async function run(): Promise<number> {
  await using server = values.sqlite && !values.postgres ? undefined : await serverForTests();
  if ((values.postgres || values.hosts) && !server) return 1;
  for (const [name, value] of Object.entries(server?.env ?? {})) Deno.env.set(name, value);
  // Loaded now, because they find the server when they are.
  const { drivers } = await import("./helpers/drivers.ts");
  const { soak, soakHosts } = await import("./crash/soak.ts");
  if (values.hosts) return await soakHosts(Number(values.jobs ?? 2000)) === 0 ? 0 : 1;
  const all = !values.sqlite && !values.postgres;
  let violations = 0;
  for (const driver of drivers) {
    if (!driver.ignore && (all || values[driver.name])) violations += await soak(driver, minutes, seed);
  }
  return violations === 0 ? 0 : 1;
}

Deno.exit(await run());
