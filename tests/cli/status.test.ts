/** `status`: with its workers, and drawn anew every second. */

import assert from "node:assert/strict";
import { createPace } from "../../src/cli/finish_rate.ts";
import { queueTest, untilFile } from "../helpers/queue_test.ts";
import { hasTerminal, startInTerminal } from "../helpers/terminal.ts";

const none = { pending: 0, processing: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };

Deno.test("the pace is that of the last minute, and takes nothing back", () => {
  const paceAt = createPace();
  assert.deepEqual(paceAt({ ...none, pending: 90, completed: 5 }, 0), { finished: 0, over: 0, left: null });
  const second = paceAt({ ...none, pending: 80, processing: 1, completed: 14, dead: 1 }, 10_000);
  assert.deepEqual(second, { finished: 10, over: 10_000, left: 81_000 });
  // Completed jobs were removed: that undoes nothing.
  const third = paceAt({ ...none, pending: 80, dead: 1 }, 20_000);
  assert.deepEqual(third, { finished: 10, over: 20_000, left: 160_000 });
  assert.equal(paceAt({ ...none, pending: 80, dead: 1 }, 70_000).finished, 0);
  assert.equal(paceAt({ ...none, completed: 80 }, 71_000).left, 0);
});

queueTest("status --workers tells the workers and their slots", async (queue) => {
  assert.match(
    (await queue.run("status", "--workers")).stdout,
    /^ {2}dead +: 0\n {2}workers +: 0, 0 of 0 slots in use\n$/m,
  );
  await queue.enqueue({ id: "runs", command: untilFile("go") });
  queue.start("--count", "2", "--concurrency", "3");
  await queue.reaches("runs", "processing");
  const { stdout } = await queue.run("status", "--workers", "--json");
  const { workers, slots, slots_in_use, queues: _, ...counts } = JSON.parse(stdout);
  assert.deepEqual([slots_in_use, slots / workers], [1, 3]);
  assert.deepEqual(counts, { ...none, processing: 1 });
  assert.doesNotMatch((await queue.run("status")).stdout, /workers/);
  queue.touch("go");
});

queueTest("status --watch is drawn anew until Ctrl-C", async (queue) => {
  const terminal = startInTerminal(["status", "--watch"], queue.path, queue.env);
  const { manager } = terminal;
  await manager.line(/pending +: 0$/);
  await queue.enqueue({ id: "a", command: "true" });
  await manager.line(/pending +: 1$/);
  await queue.store.cancel(["a"]);
  await manager.line(/cancelled +: 1$/);
  await manager.line(/finished +: 1 in \d+s$/);
  await terminal.type("\x03");
  assert.equal((await manager.status).code, 0);
  await terminal.close();
  await manager.closed;
}, { ignore: !hasTerminal });
