/** Readers of what commands print: nothing that one still reads is cut or removed, and none that is gone holds anything. */

import assert from "node:assert/strict";
import type { EndedRun } from "../../src/worker/run/job_run.ts";
import { createOutputCutter } from "../../src/worker/run/output_cutter.ts";
import { announceReader, isBeingRead } from "../../src/worker/spool/output_readers.ts";
import { cutOutput, printedLength } from "../../src/worker/spool/spool_output.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const readers = (folder: string) => names(folder).filter((name) => name.startsWith("reader."));

/** Registers a test that gets a spool that is not made yet, and the files of a run in it. */
function readerTest(name: string, body: (spool: string, files: string) => void): void {
  Deno.test(`readers: ${name}`, async () => {
    await using folder = await temporaryFolder();
    body(`${folder.path}/spool`, `${folder.path}/spool/7.3`);
  });
}

readerTest("one of a job, or of all, is known until it ends, or has read all of the run", (spool, files) => {
  assert.ok(!isBeingRead(files, "a"));
  {
    using one = announceReader(spool, "a", false);
    assert.deepEqual([isBeingRead(files, "a"), isBeingRead(files, "b"), isBeingRead(files)], [
      true,
      false,
      true,
    ]);
    one.hasRead(files);
    assert.ok(!isBeingRead(files, "a") && isBeingRead(`${spool}/7.4`, "a"));
  }
  {
    using _all = announceReader(spool, null, false);
    assert.ok(isBeingRead(files, "b"));
  }
  assert.ok(!isBeingRead(files, "b"));
  assert.deepEqual(names(spool), []);
});

readerTest("one that gives no sign of life is gone, and what it has left is removed", (spool, files) => {
  using _dead = announceReader(spool, "a", false);
  const [name] = readers(spool);
  const longAgo = new Date(Date.now() - 60_000);
  Deno.utimeSync(`${spool}/${name}`, longAgo, longAgo);
  using _other = announceReader(spool, "b", false);
  assert.ok(!readers(spool).includes(name));
  assert.ok(!isBeingRead(files, "a"));
});

readerTest("the files of a run go with the last one that has read them", (spool, files) => {
  using first = announceReader(spool, "a", false);
  using second = announceReader(spool, null, false);
  for (const name of ["out", "err", "status"]) Deno.writeTextFileSync(`${files}.${name}`, "");
  first.hasRead(files);
  assert.ok(names(spool).includes("7.3.out"));
  second.hasRead(files);
  assert.deepEqual(names(spool), readers(spool));
});

readerTest("where nobody can be announced nothing is wrong", (spool, files) => {
  Deno.writeTextFileSync(spool, "");
  using reader = announceReader(spool, "a", false);
  reader.hasRead(files);
  assert.ok(Deno.statSync(spool).isFile);
});

/** A run that has ended, with its text as it is stored. */
const ended = (files: string, output: string): EndedRun =>
  ({ claim: { id: "a" }, files, result: { output, errorOutput: "" } }) as EndedRun;

readerTest(
  "a long output of an ended run stays for its reader, a short one and any other does not",
  (spool, files) => {
    const cutter = createOutputCutter((text) => assert.fail(text), () => 1024);
    const make = () =>
      ["out", "err", "status"].forEach((name) => Deno.writeTextFileSync(`${files}.${name}`, ""));
    const isThere = () => names(spool).includes("7.3.out");
    {
      using _reader = announceReader(spool, "a", false);
      make();
      cutter.remove(ended(files, "short"));
      assert.ok(!isThere());
      make();
      cutter.remove(ended(files, "x".repeat(1000)));
      cutter.look([]);
      assert.ok(isThere());
    }
    // It has gone without a word.
    cutter.look([]);
    assert.ok(!isThere());
    make();
    cutter.remove(ended(files, "x".repeat(1000)));
    assert.ok(!isThere());
  },
);

readerTest("what is left to readers is bounded: the oldest goes first", (spool) => {
  const cutter = createOutputCutter((text) => assert.fail(text), () => 1024);
  using _reader = announceReader(spool, null, false);
  for (const [run, mebibytes] of [300, 200, 100, 600].entries()) {
    for (const name of ["out", "err"]) Deno.writeTextFileSync(`${spool}/1.${run}.${name}`, "");
    // Nothing but its length is there.
    Deno.truncateSync(`${spool}/1.${run}.out`, mebibytes * 1024 ** 2);
    cutter.remove(ended(`${spool}/1.${run}`, "x".repeat(1000)));
    const left = names(spool).filter((name) => name.endsWith(".out"));
    assert.deepEqual(left, [["1.0.out"], ["1.0.out", "1.1.out"], ["1.1.out", "1.2.out"], ["1.3.out"]][run]);
  }
});

readerTest("what is being read is cut much later", (spool, files) => {
  using _reader = announceReader(spool, "a", false);
  const isRead = () => isBeingRead(files, "a");
  Deno.writeTextFileSync(`${files}.out`, "");
  // Nothing but its length is there.
  Deno.truncateSync(`${files}.out`, 20 * 1024 ** 2);
  assert.ok(!cutOutput(files, 1024, isRead));
  Deno.truncateSync(`${files}.out`, 257 * 1024 ** 2);
  assert.ok(cutOutput(files, 1024, isRead));
  assert.equal(printedLength(files, "out"), 257 * 1024 ** 2);
  Deno.truncateSync(`${files}.out`, 20 * 1024 ** 2);
  assert.ok(cutOutput(files, 1024));
});
