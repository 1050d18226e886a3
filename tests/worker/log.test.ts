/** The lines of managers and workers: nobody waits for them, and what is left out is told. */

import assert from "node:assert/strict";
import { createLogOutput } from "../../src/worker/host/log.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { programCommand } from "../helpers/program.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A stream that takes nothing before `let go`, and then everything; `refusals` are thrown by the first writes. */
function heldStream(refusals: Error[] = []) {
  const open = Promise.withResolvers<void>();
  let text = "";
  return {
    open: open.resolve,
    text: () => text,
    async write(bytes: Uint8Array) {
      await open.promise;
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      // As a pipe that does not block, it takes what it has room for.
      const taken = bytes.subarray(0, 1000);
      text += new TextDecoder().decode(taken);
      return taken.length;
    },
  };
}

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `line ${from + index} ${"x".repeat(90)}`);

Deno.test("lines are written in their order, all of them before the end", async () => {
  const stream = heldStream();
  const log = createLogOutput(stream);
  const lines = numbered(0, 500);
  for (const line of lines) log.print([line]);
  stream.open();
  await log.flush();
  assert.equal(stream.text(), lines.map((line) => `${line}\n`).join(""));
});

Deno.test("what an output does not take is left out, counted, and told where it goes on", async () => {
  const stream = heldStream();
  const log = createLogOutput(stream);
  for (const line of numbered(0, 10_000)) log.print([line]);
  await log.flush();
  assert.equal(stream.text(), "", "the end was waited for although nothing is taken");
  stream.open();
  await log.flush();
  log.print(["goes on"]);
  await log.flush();
  const lines = stream.text().trimEnd().split("\n");
  const written = lines.filter((line) => line.startsWith("line "));
  assert.deepEqual(written, numbered(0, written.length));
  assert.ok(written.length < 5000, `${written.length} lines were kept`);
  assert.deepEqual(lines.slice(written.length), [
    `queuectl: ${10_000 - written.length} lines of the log of process ${Deno.pid} left out here: ` +
    "the output did not take them",
    "goes on",
  ]);
});

Deno.test("an output that refuses lines is no reason to stop, and one that is full is tried again", async () => {
  const stream = heldStream([
    new Deno.errors.WouldBlock("full"),
    new Error("no space left"),
    new Error("no space"),
  ]);
  stream.open();
  const log = createLogOutput(stream);
  for (const line of ["one", "two", "three"]) {
    log.print([line]);
    await log.flush();
  }
  assert.equal(
    stream.text(),
    `queuectl: 2 lines of the log of process ${Deno.pid} left out here: the output did not take them\nthree\n`,
  );
});

queueTest("a log that nobody reads holds up no result, timeout or stop, and no end", async (queue) => {
  const id = (index: number) => `${index}-${"x".repeat(240)}`;
  // More than a pipe takes: two lines are printed of each job.
  const jobs = Array.from({ length: 200 }, (_, index) => ({ id: id(index), command: "exit 0" }));
  await queue.enqueue(...jobs, { id: "late", command: untilFile("never"), timeout: 100, maxRetries: 0 });
  const child = programCommand(["worker", "start", "--concurrency", "4"], {
    cwd: queue.path,
    env: queue.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await queue.reaches("late", "dead");
  assert.equal((await queue.store.counts()).completed, jobs.length);
  assert.equal((await queue.run("worker", "stop")).code, 0);
  await waitFor("the end of the manager", () => child.status.then(() => true));
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
}, { ignore: posixOnly("hundreds of quick starts") });
