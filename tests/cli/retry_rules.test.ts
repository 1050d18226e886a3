/** Which failures are retried, and when: given with a job, changed, and told. */

import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";
import { complain, isWindows, steps } from "../helpers/shell_commands.ts";

queueTest("a status that is not retried is dead at once, and show and the worker say why", async (queue) => {
  const { run } = queue;
  const enqueue = (...args: string[]) => run("enqueue", "--base-backoff", "0", ...args);
  await enqueue("--id", "no", "--no-retry-on", "2-4", steps(complain("sorry"), "exit 3"));
  await enqueue("--id", "only", "--retry-on", "9", "exit 1");
  await enqueue("--id", "yes", "--retry-on", "9", "--max-retries", "1", "exit 9");
  await enqueue("--id", "tempfail", "--no-retry-on", "75", "exit 75");
  await enqueue("--id", "timeout", "--retry-on", "9", "--max-retries", "1", "--timeout", "100ms", "sleep 60");
  const manager = queue.start("--concurrency", "5");
  const ids = ["no", "only", "yes", "tempfail", "timeout"];
  const attempts = [];
  for (const id of ids) attempts.push((await queue.reaches(id, "dead")).attempts);
  assert.deepEqual(attempts, [1, 1, 2, 1, 2]);
  await manager.line(/job no moved to DLQ: exit status 3 is not retried$/);
  await manager.line(/job yes moved to DLQ$/);
  const shown = (await run("show", "no")).stdout;
  assert.match(shown, /^Retried: +not after exit status 2-4$/m);
  assert.match(shown, /^Last error: +sorry\nDead because: exit status 3 is not retried$/m);
  assert.match((await run("show", "only")).stdout, /^Dead because: exit status 1 is not retried$/m);
  assert.doesNotMatch((await run("show", "yes")).stdout, /Dead because/);
  const object = JSON.parse((await run("show", "--json", "no")).stdout);
  assert.deepEqual([object.dead_because, object.no_retry_on], ["exit status 3 is not retried", [2, 3, 4]]);
});

queueTest("rules of retries are changed one by one, and count from the next run on", async (queue) => {
  const { run } = queue;
  await run("enqueue", "--id", "a", "--no-retry-on", "3", "--max-backoff", "1m", "exit 3");
  const edit = await run(
    ...["edit", "a", "--set", "backoff=linear", "--set", "jitter=0.5", "--set", "base_backoff=30"],
    ...["--unset", "no_retry_on", "--set", "max-backoff=10m"],
  );
  assert.deepEqual([edit.code, edit.stderr], [0, ""]);
  assert.deepEqual((await queue.job("a")).retryRules, {
    backoff: "linear",
    jitter: 0.5,
    maxBackoff: 600_000,
  });
  const { stdout } = await run("show", "a");
  assert.match(stdout, /^Backoff: +30 \* attempt seconds, at most 10m, jitter 0.5$/m);
  queue.start();
  const { nextAttemptAt, updatedAt } = await queue.reaches("a", "failed");
  const delay = nextAttemptAt! - updatedAt;
  assert.ok(delay > 15_000 - 1 && delay <= 30_000, `${delay} ms`);
});

queueTest("settings are the rules of jobs that have none", async (queue) => {
  const { run } = queue;
  const set = async (...args: string[]) => assert.equal((await run("config", "set", ...args)).code, 0);
  await set("backoff", "fixed");
  await set("base-backoff", "100");
  const wrong = await run("config", "set", "backoff", "liner");
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^Setting "backoff" takes one of exponential, linear, fixed, not "liner"$/m);
  assert.equal((await run("config", "set", "jitter", "2")).code, 2);
  await run("enqueue", "--id", "by-setting", "exit 1");
  await run("enqueue", "--id", "own", "--backoff", "linear", "--base-backoff", "7", "exit 1");
  queue.start("--concurrency", "2");
  const delay = async (id: string) => {
    const { nextAttemptAt, updatedAt } = await queue.reaches(id, "failed");
    return nextAttemptAt! - updatedAt;
  };
  assert.deepEqual([await delay("by-setting"), await delay("own")], [100_000, 7000]);
});

queueTest("what asks for a later try has not failed, in the words of show and logs", async (queue) => {
  const command = isWindows ? "if not exist go (touch go&exit 75)" : "[ -e go ] || { touch go; exit 75; }";
  await queue.enqueue({ id: "a", command });
  queue.start();
  await queue.reaches("a", "completed");
  const { stdout } = await queue.run("show", "a");
  assert.match(stdout, /\| asked to be run again later \(exit code 75\) \|/);
});
