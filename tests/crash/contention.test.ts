/** Many processes on one database at once: nobody is told of it, every job runs once, and readers do not wait. */

import assert from "node:assert/strict";
import { problemsIn } from "../helpers/queue_problems.ts";
import { contend, miscounted, startProgram } from "../helpers/contention.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { assertCounted } from "../store/suite/harness.ts";

queueTest(
  "16 processes enqueue, claim, list and retry at once: no error, and every job runs once",
  async (queue) => {
    const { ids, times, complaints } = await contend(queue, 4000, queue.watch);
    assert.deepEqual(complaints, []);
    assert.deepEqual(Object.entries(times).filter(([, count]) => count === 0), [], "everybody had a turn");
    assert.deepEqual(miscounted(queue.path, ids), []);
    const { completed } = await queue.store.counts();
    assert.equal(completed, ids.length);
    await assertCounted(queue.store);
    assert.deepEqual(await problemsIn(queue), []);
  },
);

queueTest(
  "readers answer while another process holds the queue locked, and writers wait for it",
  async (queue) => {
    await queue.enqueue({ id: "a", command: "true" });
    const other = await queue.place.begin("write");
    await other.query("UPDATE jobs SET priority = 7");
    const writer = queue.watch(startProgram(queue, "enqueue", '{"id": "b", "command": "true"}'));
    let hasWritten = false;
    writer.status.then(() => hasWritten = true);
    try {
      for (const args of [["list", "--json"], ["status"], ["dlq", "list"], ["worker", "list"], ["doctor"]]) {
        const { code, stdout, stderr } = await queue.run(...args);
        assert.deepEqual([code, stderr], [0, ""], args.join(" "));
        // What is not committed is not seen.
        if (args[0] === "list") assert.deepEqual(JSON.parse(stdout).map(summary), [["a", 0]]);
      }
      assert.equal(hasWritten, false);
    } finally {
      await other.end("COMMIT");
    }
    await writer.status;
    await writer.closed;
    assert.deepEqual(writer.lines, ["Job b inserted."]);
    assert.deepEqual((await queue.store.list({ limit: 10 })).map(summary), [["a", 7], ["b", 0]]);
  },
);

const summary = ({ id, priority }: { id: string; priority: number }) => [id, priority];
