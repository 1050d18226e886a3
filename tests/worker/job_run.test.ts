/** Runs whose worker is killed while it ends them: whoever records them knows why they have ended. */

import assert from "node:assert/strict";
import { configFrom } from "../../src/job/settings.ts";
import type { Claim } from "../../src/job/job.ts";
import { type JobRun, watchRun } from "../../src/worker/run/job_run.ts";
import { sendSignal, takeSnapshot } from "../../src/worker/host/processes.ts";
import { delay } from "../../src/base/delay.ts";
import { adoptCommand, type CommandEnd, type RunningCommand } from "../../src/worker/run/run_command.ts";
import {
  appendStatus,
  createStatus,
  type Ending,
  readStatus,
  startedLine,
} from "../../src/worker/spool/spool.ts";
import { commandTest } from "../helpers/command_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";

const claim: Claim = {
  seq: 7,
  claim: 2,
  run: 1,
  id: "a",
  command: "false",
  attempt: 1,
  maxRetries: 0,
  timeout: null,
  baseBackoff: null,
  cwd: null,
  env: null,
  retryRules: null,
  queue: "default",
  problem: null,
  startedAt: 0,
  elapsed: 1234,
  elsewhere: false,
  rated: false,
  postponed: 0,
};

const endings: Array<[Ending, object]> = [
  ["handed_back", { kind: "handed_back" }],
  ["timed_out", { kind: "timed_out", timeout: 1234 }],
  ["cancelled", { kind: "cancelled" }],
];

for (const [ending, outcome] of endings) {
  Deno.test(`an adopted command that ends as its last owner has asked is recorded as ${ending}`, async () => {
    await using folder = await temporaryFolder();
    const files = `${folder.path}/7.1`;
    const started = { pid: 4711, start: "12345", boot: "boot", claim: "7.1.mark", runner: "mark" };
    createStatus(files, startedLine(started));
    appendStatus(files, `ending ${ending}`);
    for (const stream of ["out", "err"]) Deno.writeTextFileSync(`${files}.${stream}`, "");
    // It has ended between the look of its new owner and whatever that does next.
    appendStatus(files, "exit 143");
    const run = watchRun(claim, files, adoptCommand(files, started), claim.elapsed, configFrom([]));
    if (ending === "handed_back") run.handBack();
    const end = await run.ended;
    assert.ok(end.kind === "finished");
    assert.deepEqual(end.finished.outcome, outcome);
  });
}

Deno.test("a command uses up none of its timeout while it is stopped", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  createStatus(
    files,
    startedLine({ pid: 4711, start: "12345", boot: "boot", claim: "7.1.mark", runner: "mark" }),
  );
  const isEnded = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<CommandEnd>();
  const command: RunningCommand = {
    ended: ended.promise,
    startedRun: undefined,
    signal: () => Promise.resolve(true),
    end: () => {
      isEnded.resolve();
      return Promise.resolve([]);
    },
  };
  const run = watchRun({ ...claim, timeout: 20 }, files, command, 0, configFrom([]));
  await run.signal("SIGSTOP");
  await run.signal("SIGUSR1");
  const first = await Promise.race([isEnded.promise.then(() => "ended"), delay(60).then(() => "stopped")]);
  assert.equal(first, "stopped");
  await run.signal("SIGCONT");
  await isEnded.promise;
  assert.equal(readStatus(files)?.ending, "timed_out");
  ended.resolve({ kind: "lost", message: "ended" });
  await run.ended;
});

Deno.test("a job is not started again while something of it lives that cannot be ended", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  createStatus(
    files,
    startedLine({ pid: 4711, start: "12345", boot: "boot", claim: "7.1.mark", runner: "mark" }),
  );
  const endOf = async (end: (run: JobRun) => void, timeout = 0) => {
    const ended = Promise.withResolvers<CommandEnd>();
    const run = watchRun(
      { ...claim, timeout, maxRetries: 3 },
      files,
      {
        ended: ended.promise,
        startedRun: undefined,
        signal: () => Promise.resolve(true),
        end() {
          ended.resolve({ kind: "lost", message: "given up" });
          return Promise.resolve([4711, 4712]);
        },
      },
      0,
      configFrom([]),
    );
    end(run);
    const result = await run.ended;
    assert.equal(result.kind, "finished");
    const { outcome, next } = (result as Extract<typeof result, { kind: "finished" }>).finished;
    return [outcome.kind, next.state, "error" in next && next.error];
  };
  const words = "processes 4711, 4712 cannot be ended and are still alive";
  assert.deepEqual(await endOf((run) => run.cancel(0)), ["cancelled", "cancelled", words]);
  assert.deepEqual(await endOf((run) => run.handBack()), ["lost", "dead", words]);
  assert.deepEqual(await endOf(() => {}, 20), [
    "timed_out",
    "dead",
    `Command timed out after 0.02 seconds; ${words}`,
  ]);
});

// Last: what a runner still does then is nothing that another test has begun.
commandTest(
  "why a command is ended is noted also where that was wanted before it had begun",
  async (commands) => {
    const first = commands.start("first", untilFile("go"));
    const { started } = await waitFor("the first command to run", () => readStatus(first.files));
    commands.touch("go");
    await first.ended;
    // The runner, which is used again, gets the next command, but does not come to it.
    const runner = started!.pid;
    sendSignal(runner, "SIGSTOP");
    const second = commands.start("second", untilFile("never"));
    const command = { ...second, startedRun: undefined, signal: () => Promise.resolve(false) };
    const run = watchRun(claim, second.files, command, 0, configFrom([]));
    run.handBack();
    for (let look = 1; look <= 3; look++) await takeSnapshot(started!);
    sendSignal(runner, "SIGCONT");
    try {
      const end = await run.ended;
      assert.ok(end.kind === "finished");
      assert.deepEqual(end.finished.outcome, { kind: "handed_back" });
      assert.equal(readStatus(second.files)?.ending, "handed_back");
    } finally {
      commands.touch("never");
    }
  },
);
