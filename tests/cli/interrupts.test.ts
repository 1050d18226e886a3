/** Ctrl-C in `enqueue`. */

import assert from "node:assert/strict";
import { startProgram } from "../helpers/following.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";

const interrupts = () => ({ ignore: posixOnly("signals of tests to programs") });

queueTest("Ctrl-C while enqueue --file reads says that nothing was stored", async (queue) => {
  const pipe = `${queue.path}/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  for (const text of ["", "true\n"]) {
    const reader = startProgram(queue, ["enqueue", "--file", pipe]);
    // This can be opened when the other end is.
    using file = await Deno.open(pipe, { write: true });
    await file.write(new TextEncoder().encode(text));
    reader.signal("SIGINT");
    assert.equal((await reader.status).code, 130);
    await reader.closed;
    assert.deepEqual(reader.lines, ["Interrupted: nothing was stored"]);
  }
  assert.deepEqual(await queue.store.list({ limit: 1 }), []);
}, interrupts());

queueTest("Ctrl-C in enqueue --wait leaves the jobs alone, and says how to follow them", async (queue) => {
  await Deno.writeTextFile(`${queue.path}/two`, "true\ntrue\n");
  const cases: Array<[args: string[], message: RegExp]> = [
    [["--id", "a", "true"], /^Job a continues\. Follow it: queuectl logs -f a$/],
    [["--file", "two"], /^2 jobs go on\. Follow them: queuectl logs -f --all$/],
  ];
  for (const [args, message] of cases) {
    const waiter = startProgram(queue, ["enqueue", "--wait", ...args]);
    await waiter.line(/^No worker runs/);
    waiter.signal("SIGINT");
    assert.equal((await waiter.status).code, 130);
    await waiter.line(message);
  }
  assert.equal((await queue.store.counts()).pending, 3);
}, interrupts());
