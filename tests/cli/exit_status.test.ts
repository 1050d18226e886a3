/** Exit statuses of 32 bits, as jobs on Windows have them: given as rules, told, and passed on. On any system. */

import assert from "node:assert/strict";
import { nextStep } from "../../src/job/backoff.ts";
import { errorText } from "../../src/job/outcome.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { claimOne, finished, join } from "../store/suite/harness.ts";

const isWindows = Deno.build.os === "windows";
const ctrlC = -1_073_741_510;

queueTest(
  "a job that ended with a status of 32 bits is told and passed on",
  async ({ store, run, enqueue }) => {
    for (const [id, code] of [["a", ctrlC], ["b", -5], ["c", 256]] as const) {
      await enqueue({ id, command: "other system", maxRetries: 0, baseBackoff: 2 });
      const worker = await join(store);
      const outcome = { kind: "exited", code } as const;
      await store.exchange(worker, [finished(await claimOne(store, worker), outcome)], 0);
      const { code: status, stderr } = await run("wait", id);
      const words = code === ctrlC ? `${ctrlC} (0xC000013A, ended by Ctrl-C)` : `${code}`;
      assert.deepEqual([status, stderr], [isWindows ? code : 1, `Job ${id} is dead: exit code ${words}\n`]);
      const [object] = JSON.parse((await run("wait", id, "--json")).stdout);
      assert.deepEqual([object.exit_code, object.exit_status], [code, isWindows ? code : 1]);
      const shown = (await run("show", id)).stdout;
      assert.ok(shown.includes(`exit code ${words} |`), shown);
      const detail = JSON.parse((await run("show", id, "--json")).stdout);
      assert.equal(detail.runs[0].exit_code, code);
    }
    // Of several jobs it is 1 when any has failed, whatever sign its status has.
    assert.equal((await run("wait", "a", "b")).code, 1);
  },
);

queueTest("rules of retries take a status of 32 bits in any spelling", async ({ store, run, job }) => {
  const flags = ["--retry-on=-5--1,70-71,0xc0000005", "--no-retry-on", "3221225786"];
  assert.deepEqual(await run("enqueue", "--id", "a", ...flags, "--max-retries", "5", "exit 1"), {
    code: 0,
    stdout: "Job a inserted.\n",
    stderr: "",
  });
  const retryOn = [-5, -4, -3, -2, -1, 70, 71, -1_073_741_819];
  assert.deepEqual((await job("a")).retryRules, { retryOn, noRetryOn: [ctrlC] });
  assert.match(
    (await run("show", "a")).stdout,
    /^Retried: +only after exit status -1073741819, -5--1, 70-71, not after exit status -1073741510$/m,
  );
  assert.equal((await run("edit", "a", "--set", "retry_on=-1", "--set", "no_retry_on=0xC000013A")).code, 0);
  assert.deepEqual((await job("a")).retryRules, { retryOn: [-1], noRetryOn: [ctrlC] });
  const worker = await join(store);
  const claim = await claimOne(store, worker);
  const outcome = { kind: "exited", code: ctrlC } as const;
  const policy = {
    attempts: 1,
    maxRetries: 5,
    backoff: "fixed",
    baseBackoff: 1,
    maxBackoff: 1,
    jitter: 0,
  } as const;
  const next = nextStep(outcome, errorText(outcome, ""), { ...policy, ...claim.retryRules }, 0);
  await store.exchange(worker, [{ ...finished(claim, outcome), next }], 0);
  const { stdout } = await run("show", "a");
  assert.match(stdout, /^State: +dead$/m);
  assert.match(
    stdout,
    /^Last error: +Command exited with code -1073741510 \(0xC000013A, ended by Ctrl-C\)$/m,
  );
  assert.match(
    stdout,
    /^Dead because: exit status -1073741510 \(0xC000013A, ended by Ctrl-C\) is not retried$/m,
  );
});
