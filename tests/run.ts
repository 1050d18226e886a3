/**
 * Runs tests: `deno task test`, with paths and flags of `deno test` after it. One PostgreSQL server serves all of them:
 * the one that `QUEUECTL_TEST_POSTGRES` names, or else a throw-away one. In the end it tells how many cases ran on both
 * drivers. `DENO_JOBS` is the number of files that run side by side.
 */

import { statIfThere } from "../src/files.ts";
import { permissions } from "../src/worker/program.ts";
import { describePassed } from "./helpers/driver_test.ts";
import { serverForTests } from "./helpers/postgres_cluster.ts";

/** Long files first, or the last of them would run alone. Files that are named twice run once. */
const order = ["tests/store", "tests/crash", "tests/worker", "tests"];

/** Many tests wait for something most of the time: with one file for each processor half of them would be idle. */
const jobs = Deno.env.get("DENO_JOBS") ?? String(2 * navigator.hardwareConcurrency);

async function run(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serverForTests());
  const record = stack.adopt(Deno.makeTempFileSync({ prefix: "queuectl-passed-" }), Deno.removeSync);
  const named = Deno.args.some((arg) => !arg.startsWith("-") && statIfThere(arg.split("?")[0]));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-prompt", "--parallel", ...permissions, ...Deno.args, ...named ? [] : order],
    env: { ...server?.env, QUEUECTL_TEST_PASSED: record, DENO_JOBS: jobs },
  }).spawn();
  // Both end the tests; a terminal tells them itself, and what is left to do here is to remove the server.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (signal === "SIGTERM" && Deno.build.os === "windows") continue;
    Deno.addSignalListener(signal, () => signal === "SIGTERM" && child.kill("SIGTERM"));
  }
  const { code } = await child.status;
  const passed = Deno.readTextFileSync(record);
  for (const line of describePassed(passed)) console.log(line + (server ? "" : " (PostgreSQL was SKIPPED)"));
  return code;
}

Deno.exit(await run());
