/**
 * Short memory: V8 ends a process that gets no more. Address space is taken away from a worker that runs, because V8
 * reserves so much of it at its start that no limit could be set before.
 */

import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { canLimit, limitMemory } from "../helpers/resources.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest("a worker without memory is replaced, and no job is lost, burnt or run twice", async (queue) => {
  const work = `echo ran >>ran.$QUEUECTL_JOB_ID; ${untilFile("go")}; head -c 900000 /dev/zero | tr '\\0' x`;
  const manager = queue.start("--concurrency", "6");
  const worker = await manager.workerPid();
  await manager.line(/Worker-1: started$/);
  await limitMemory(worker);
  const ids: string[] = [];
  // How long V8 gets by with what it has is its own affair: there is work until it does not.
  await waitFor("the end of the worker", async () => {
    const { pending, processing } = await queue.store.counts();
    if (pending + processing < 6) {
      ids.push(`job-${ids.length}`);
      await queue.enqueue({ id: ids.at(-1)!, command: work, maxRetries: 0 });
    } else queue.touch("go");
    return manager.lines.some((line) => line.startsWith(`Manager: worker pid=${worker} ended with `));
  }, () => manager.lines.slice(-20));
  queue.touch("go");
  for (const id of ids) {
    const { attempts } = await queue.reaches(id, "completed");
    assert.deepEqual([id, attempts, queue.read(`ran.${id}`)], [id, 1, "ran\n"]);
    assert.equal((await queue.store.lastOutput(id))?.output.length, 900_000);
  }
}, { ignore: !canLimit });
