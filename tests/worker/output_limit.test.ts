/** What commands print, run by the real program: bounded in memory, on disk and in the database, and always text. */

import assert from "node:assert/strict";
import { isRunning, memoryOf } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** Bytes on the disk of a file in the spool above which it is cut: the limit of the test, and what may be over it. */
const limitOnDisk = 1024 + 16 * 1024 ** 2;

const byteLength = (text: string) => new TextEncoder().encode(text).length;

queueTest(
  "300 MB of output are bounded in the worker's memory, the spool and the database",
  async (queue) => {
    await queue.store.setSetting("max-output", "64KiB");
    const print = "yes 0123456789abcdef | head -c 300000000";
    await queue.enqueue(
      { id: "much", command: `echo first; ${print}; echo; echo last` },
      { id: "errors", command: `{ echo first; ${print}; echo; echo last; exit 3; } >&2`, maxRetries: 0 },
      { id: "after", command: "echo fine" },
    );
    const manager = queue.start();
    for (const [id, state] of [["much", "completed"], ["errors", "dead"], ["after", "completed"]] as const) {
      await queue.reaches(id, state);
    }
    const worker = await manager.workerPid();
    const peak = await memoryOf(worker, "VmHWM");
    assert.ok(peak !== undefined && peak < 150, `the worker has used ${peak} MiB`);
    assert.ok(await isRunning(worker));
    for (
      const text of [
        (await queue.store.lastOutput("much"))!.output,
        (await queue.store.lastOutput("errors"))!.errorOutput,
      ]
    ) {
      assert.ok(byteLength(text) <= 64 * 1024, `${byteLength(text)} bytes are stored`);
      assert.match(text, /^first\n0123[^]*\n\[\.\.\. \d+ bytes left out \.\.\.\]\n[^]*\nlast\n$/);
    }
    assert.match((await queue.job("errors")).lastError!, /last$/);
    assert.equal((await queue.store.lastOutput("after"))?.output, "fine\n");
    await waitFor("an empty spool", () => queue.spooled().length === 0, () => queue.spooled());
  },
  { ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: the memory of a process") },
);

queueTest("output is cut on disk while the command runs", async (queue) => {
  await queue.store.setSetting("max-output", "1KiB");
  const print = "yes 0123456789abcde | head -c 32000000";
  // Between the two it stands still, so that the first is cut before the second begins.
  await queue.enqueue({
    id: "a",
    command: `echo first; ${print}; ${untilFile("go")}; ${print}; ${untilFile("end")}; echo last`,
  });
  queue.start();
  const file = `${queue.spool}/1.1.out`;
  const cut = async (above: number) => {
    const omitted = sizeOf(`${file}.kept`) > 0 &&
      Number((await Deno.readTextFile(`${file}.kept`)).split(/[ \n]/, 2)[1]);
    return omitted && omitted > above && sizeOf(file) < limitOnDisk && omitted;
  };
  const sizes = () => [sizeOf(file), sizeOf(`${file}.kept`)];
  const first = await waitFor("the first cut", () => cut(0), sizes);
  queue.touch("go");
  await waitFor("another cut", () => cut(first), sizes);
  assert.ok(sizeOf(`${file}.kept`) < 2048);
  queue.touch("end");
  await queue.reaches("a", "completed");
  const { output } = (await queue.store.lastOutput("a"))!;
  assert.match(
    output,
    /^first\n0123[^]*\n\[\.\.\. \d{8} bytes left out \.\.\.\]\n[^]*0123456789abcde\nlast\n$/,
  );
  assert.ok(byteLength(output) <= 1024);
  await waitFor("an empty spool", () => queue.spooled().length === 0, () => queue.spooled());
}, { ignore: posixOnly("commands that print any bytes") });

/** Bytes that a file takes on the disk, as far as the system tells that; -1 where there is none. */
function sizeOf(path: string): number {
  try {
    const { size, blocks } = Deno.statSync(path);
    return blocks === null ? size : Math.min(size, 512 * blocks);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return -1;
    throw error;
  }
}

queueTest("output that is not text is stored all the same", async (queue) => {
  await queue.enqueue(
    {
      id: "binary",
      command: "head -c 100000 /dev/urandom; head -c 100000 /dev/urandom >&2; exit 1",
      maxRetries: 0,
    },
    { id: "half", command: "printf 'a\\303'; printf '\\303b\\000c\\342\\202' >&2; exit 1", maxRetries: 0 },
    { id: "empty", command: "exit 1", maxRetries: 0 },
  );
  const manager = queue.start("--drain");
  assert.equal((await manager.status).code, 1);
  assert.equal((await queue.store.lastOutput("half"))?.output, "a\uFFFD");
  assert.equal((await queue.job("half")).lastError, "\uFFFDb\uFFFDc\uFFFD");
  assert.equal((await queue.job("empty")).lastError, "Command exited with code 1");
  const { output, errorOutput } = (await queue.store.lastOutput("binary"))!;
  for (const text of [output, errorOutput]) assert.ok(text.length > 50_000 && text.isWellFormed());
  const list = await queue.run("list", "--json");
  assert.equal(list.code, 0);
  assert.equal(JSON.parse(list.stdout).length, 3);
}, { ignore: posixOnly("commands that print any bytes") });
