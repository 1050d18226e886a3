/**
 * Runs tests: `deno task test` the quick ones, with `--all` all of them and with `--rest` all others; paths and flags of
 * `deno test` can come after that. One PostgreSQL server serves all of them: the one that `QUEUECTL_TEST_POSTGRES` names, or
 * else a throw-away one. In the end it tells how many cases ran on both drivers, and why cases were left out. `DENO_JOBS` is
 * the number of files that run side by side.
 *
 * With `QUEUECTL_TEST_PROGRAM`, an executable, those files run whose tests start it: all else would do the same again.
 */

import { statIfThere } from "../src/base/files.ts";
import { permissions } from "../src/worker/host/program.ts";
import { describePassed } from "./helpers/driver_test.ts";
import { describeLeftOut } from "./helpers/left_out.ts";
import { serverForTests } from "./helpers/postgres_cluster.ts";
import { isQuick, startsProgram, testFiles } from "./test_files.ts";

/** Many tests wait for something most of the time: with one file for each processor half of them would be idle. */
const jobs = Deno.env.get("DENO_JOBS") ?? String(2 * navigator.hardwareConcurrency);

/** Files, or folders of them, that begin first, the longest before others: or the last of them would run alone. */
const first = [
  "store/postgres.test.ts",
  "crash/fence.test.ts",
  "store/moving.test.ts",
  "crash/stale_worker.test.ts",
  "store/model.test.ts",
  "store/large.test.ts",
  "crash/hosts.test.ts",
  "crash/skewed_clocks.test.ts",
  "store/sqlite.test.ts",
  "crash/",
  "store/",
  "worker/",
  "cli/",
];

/** Which files run where none is named. */
const tier = Deno.args.find((arg) => arg === "--all" || arg === "--rest");
const args = Deno.args.filter((arg) => arg !== tier);

/** Which of all files run where none is named, and why these. */
function choose(all: readonly string[]): { files: string[]; reason: string } {
  if (Deno.env.get("QUEUECTL_TEST_PROGRAM")) {
    return { files: all.filter(startsProgram), reason: "start the program, which is an executable" };
  }
  if (tier === "--all") return { files: [...all], reason: "run" };
  if (tier === "--rest") return { files: all.filter((file) => !isQuick(file)), reason: "are not quick" };
  return { files: all.filter(isQuick), reason: "are quick; `deno task test:all` runs all" };
}

/** The files that run where none is named, in the order in which they begin. */
function filesToRun(): string[] {
  const all = [...testFiles("tests")];
  const { files, reason } = choose(all);
  if (files.length < all.length) console.log(`Of ${all.length} files of tests ${files.length} ${reason}`);
  // What is in none of them is quick: it comes last.
  const rank = (file: string) => first.findIndex((name) => file.startsWith(`tests/${name}`)) >>> 0;
  return files.sort((a, b) => rank(a) - rank(b));
}

async function run(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serverForTests());
  const record = () => stack.adopt(Deno.makeTempFileSync({ prefix: "queuectl-tests-" }), Deno.removeSync);
  const [passed, leftOut] = [record(), record()];
  const named = args.some((arg) => !arg.startsWith("-") && statIfThere(arg.split("?")[0]));
  const files = named ? [] : filesToRun();
  const child = new Deno.Command(Deno.execPath(), {
    // Types are what `deno check` is for, which `deno task ok` does first.
    args: ["test", "--no-check", "--no-prompt", "--parallel", ...permissions, ...args, ...files],
    env: {
      ...server?.env,
      QUEUECTL_TEST_PASSED: passed,
      QUEUECTL_TEST_LEFT_OUT: leftOut,
      DENO_JOBS: jobs,
    },
  }).spawn();
  // Both end the tests; a terminal tells them itself, and what is left to do here is to remove the server.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (signal === "SIGTERM" && Deno.build.os === "windows") continue;
    Deno.addSignalListener(signal, () => signal === "SIGTERM" && child.kill("SIGTERM"));
  }
  const { code } = await child.status;
  for (const line of describeLeftOut(Deno.readTextFileSync(leftOut))) console.log(line);
  for (const line of describePassed(Deno.readTextFileSync(passed))) {
    console.log(line + (server ? "" : " (PostgreSQL was SKIPPED)"));
  }
  return code;
}

Deno.exit(await run());
