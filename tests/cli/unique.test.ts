/** `enqueue --unique`: what is said about a job whose key another one has. */

import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";
import { claimOne, join } from "../store/suite/harness.ts";

queueTest("enqueue --unique rejects, keeps or replaces, and says which", async (queue) => {
  const enqueue = (id: string, ...flags: string[]) =>
    queue.run("enqueue", "--id", id, "--unique", "k", ...flags, "true");
  assert.equal((await enqueue("a")).stdout, "Job a inserted.\n");
  const rejected = await enqueue("b");
  assert.equal(rejected.code, 4);
  assert.equal(rejected.stdout, "");
  assert.equal(
    rejected.stderr,
    'Job "a" with the unique key "k" waits already (state pending); nothing was stored\n',
  );
  const keep = async (...flags: string[]) => {
    const { code, stdout, stderr } = await enqueue("b", "--on-duplicate", "keep", ...flags);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  assert.equal(await keep(), "Job a is in the queue already.\n");
  assert.equal(await keep("--print-id"), "a\n");
  assert.equal(await keep("--json"), '[\n"a"\n]\n');
  assert.equal((await enqueue("b", "--on-duplicate", "replace")).stdout, "Job b inserted.\n");
  assert.equal((await queue.job("a")).lastError, 'Replaced by job "b"');
  await claimOne(queue.store, await join(queue.store));
  const runs = await enqueue("c", "--on-duplicate", "replace");
  assert.deepEqual(
    [runs.code, runs.stderr],
    [4, 'Job "b" with the unique key "k" runs already; nothing was stored\n'],
  );
  const back = await queue.run("retry", "a");
  assert.equal(back.code, 4);
  assert.equal(
    back.stderr,
    'Job "a" cannot go back into the queue: "b" has the same unique key "k", and its state is processing\n',
  );
  assert.deepEqual((await queue.store.list({ limit: 9 })).map(({ id }) => id), ["a", "b"]);
});

queueTest("enqueue --file tells how many jobs were there already", async (queue) => {
  const lines = ["a", "b", "a"].map((key, index) =>
    JSON.stringify({ id: `${key}-${index}`, command: "true", unique: key, on_duplicate: "keep" })
  );
  await Deno.writeTextFile(`${queue.path}/jobs`, lines.join("\n"));
  const { stdout } = await queue.run("enqueue", "--file", "jobs");
  assert.equal(stdout, "2 jobs inserted, 1 in the queue already.\n");
  assert.equal((await queue.run("enqueue", "--file", "jobs", "--print-id")).stdout, "a-0\nb-1\na-0\n");
  assert.equal((await queue.store.counts()).pending, 2);
});
