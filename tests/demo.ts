/**
 * The main job in a temporary folder, by the real program: `deno task demo`. With `QUEUECTL_TEST_PROGRAM` that
 * executable is shown. Exits 1 where anything is not as it must be.
 */

import assert from "node:assert/strict";
import { programCommand, runProgram } from "./helpers/program.ts";
import { temporaryFolder } from "./helpers/temporary_folder.ts";

/** Milliseconds after which the workers are stopped: the demo needs a few seconds. */
const limit = 300_000;

const onWindows = Deno.build.os === "windows";
/** Fails when it runs for the first time in a folder, and succeeds from then on. */
const failsOnce = onWindows
  ? "if exist seen (exit 0) else (type nul >seen & exit 1)"
  : "test -e seen || { touch seen; exit 1; }";

async function demo(cwd: string): Promise<void> {
  async function queuectl(...args: string[]): Promise<string> {
    announce(args);
    const { code, stdout, stderr } = await runProgram(args, { cwd });
    console.log(stderr + stdout);
    assert.equal(code, 0, `exit status of queuectl ${args.join(" ")}`);
    return stdout;
  }
  const enqueue = (job: unknown) => queuectl("enqueue", JSON.stringify(job));
  const jobs = async () => JSON.parse((await runProgram(["list", "--json"], { cwd })).stdout);

  say("A job, one that fails the first time, and one that always fails:");
  await enqueue({ id: "hello", command: "echo hello" });
  await enqueue({ id: "flaky", command: failsOnce, base_backoff: 1 });
  await enqueue({ id: "broken", command: "nonexistent_command", max_retries: 1, base_backoff: 1 });

  say("Two worker processes run them until nothing is left to run or retry:");
  const status = await drain(cwd);
  console.log(`\nThe exit status is ${status}, because a job died.\n`);
  assert.equal(status, 1);
  assert.deepEqual(
    (await jobs()).map(({ id, state, attempts }: Record<string, unknown>) => [id, state, attempts]),
    [
      ["hello", "completed", 1],
      ["flaky", "completed", 2],
      ["broken", "dead", 2],
    ],
  );

  await queuectl("list");
  await queuectl("status");
  assert.match(await queuectl("dlq", "list"), /^broken .*nonexistent_command.*[^| ]$/m);

  say("The dead job goes back into the queue, with all its attempts:");
  await queuectl("dlq", "retry", "broken");
  assert.match(await queuectl("status"), /pending {4}: 1\n[^]*completed {2}: 2\n[^]*dead {7}: 0\n/);
}

/** Runs two workers until the queue is drained; what they say goes straight to the terminal. */
async function drain(cwd: string): Promise<number> {
  const args = ["worker", "start", "--count", "2", "--drain"];
  announce(args);
  const manager = programCommand(args, { cwd, stdin: "null", stdout: "inherit", stderr: "inherit" }).spawn();
  const timer = setTimeout(() => manager.kill("SIGTERM"), limit);
  const { code } = await manager.status;
  clearTimeout(timer);
  return code;
}

function say(text: string): void {
  console.log(`# ${text}\n`);
}

function announce(args: readonly string[]): void {
  const shown = args.map((arg) => /^[\w-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`);
  console.log(`$ queuectl ${shown.join(" ")}`);
}

async function main(): Promise<number> {
  await using folder = await temporaryFolder();
  try {
    await demo(folder.path);
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error;
    console.error(`The demo failed: ${error.message}`);
    return 1;
  }
  console.log("Everything is as it must be.");
  return 0;
}

Deno.exit(await main());
