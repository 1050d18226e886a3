/** What is kept of the output of a running command: which bytes, and how they are put together again. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { NewOutputPart, Store } from "../../src/store/store.ts";
import type { JobRun } from "../../src/worker/run/job_run.ts";
import { boundedText, endsOfPieces, keptParts } from "../../src/worker/spool/output.ts";
import { createOutputShipper } from "../../src/worker/run/output_shipper.ts";
import {
  cutOutput,
  printedLength,
  readOutputs,
  readPrinted,
  shortenOutputs,
} from "../../src/worker/spool/spool_output.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const piece = (position: number, text: string) => ({ position, content: bytes(text) });

Deno.test("the parts that are kept are never over the limit, and the first begins at 0", () => {
  fc.assert(fc.property(fc.integer({ min: 1024, max: 2 ** 26 }), fc.nat(2 ** 40), (limit, printed) => {
    const { head, size, tailFrom } = keptParts(limit, printed);
    assert.ok(size > 0 && size <= 16_384 && head % size === 0 && tailFrom % size === 0);
    assert.ok(tailFrom >= head);
    assert.ok(head + Math.max(0, printed - tailFrom) <= limit);
    // Not much less than may be is kept.
    assert.ok(tailFrom === head || printed - tailFrom > limit / 4);
  }));
});

Deno.test("pieces are put together; overlaps count once, and what is missing is counted", () => {
  const cases: Array<[Array<[number, string]>, string, number, string]> = [
    [[], "", 0, ""],
    [[[0, "abc"]], "abc", 0, ""],
    [[[0, "abc"], [3, "def"]], "abcdef", 0, ""],
    [[[0, "abcd"], [2, "cd"], [3, "defg"], [4, "e"]], "abcdefg", 0, ""],
    [[[0, "abc"], [10, "kl"], [12, "mn"]], "abc", 7, "klmn"],
    // Nothing but the last pieces that follow each other is sure to be the end.
    [[[0, "a"], [5, "f"], [8, "i"]], "a", 7, "i"],
    [[[4, "ef"], [6, "g"]], "", 4, "efg"],
  ];
  for (const [pieces, head, omitted, tail] of cases) {
    const ends = endsOfPieces(pieces.map(([position, text]) => piece(position, text)));
    const decoder = new TextDecoder();
    assert.deepEqual(
      [decoder.decode(ends.head), ends.omitted, decoder.decode(ends.tail)],
      [head, omitted, tail],
    );
  }
});

/** A store that keeps pieces in memory, as the real one does. */
function memoryStore() {
  const kept = new Map<string, NewOutputPart>();
  const batches: NewOutputPart[][] = [];
  let failure: Error | undefined;
  let attempts = 0;
  const store = {
    shared: true,
    keepOutput(parts: readonly NewOutputPart[]) {
      attempts++;
      if (failure) return Promise.reject(failure);
      batches.push([...parts]);
      for (const part of parts) kept.set(`${part.seq} ${part.stream} ${part.position}`, part);
      for (const { seq, stream, gap } of parts) {
        for (const [key, part] of kept) {
          const isOf = part.seq === seq && part.stream === stream;
          if (gap && isOf && part.position >= gap.from && part.position < gap.to) kept.delete(key);
        }
      }
      return Promise.resolve();
    },
  } as unknown as Store;
  const pieces = (seq: number, stream: "out" | "err") =>
    [...kept.values()].filter((part) => part.seq === seq && part.stream === stream)
      .sort((a, b) => a.position - b.position);
  const fail = (error?: Error) => failure = error;
  return { store, batches, pieces, fail, attempts: () => attempts };
}

const runOf = (seq: number, files: string) =>
  ({ claim: { seq, run: 1, claim: 1, id: `job-${seq}` }, files }) as JobRun;

/** Lets the shipper look until it has sent what there is. */
async function shipAll(ship: () => void, isDone: () => boolean): Promise<void> {
  await waitFor("all to be sent", () => {
    ship();
    return isDone();
  });
}

Deno.test("what is printed is sent piece by piece, and nothing where nothing is new", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  const { store, batches, pieces } = memoryStore();
  const shipper = createOutputShipper(store, () => 1024, (text) => assert.fail(text));
  const run = runOf(7, files);
  const ship = () => shipper([run]);
  const text = () => boundedText(endsOfPieces(pieces(7, "out")), 1024);
  // Not started yet, and silent.
  ship();
  Deno.writeTextFileSync(`${files}.out`, "");
  Deno.writeTextFileSync(`${files}.err`, "");
  ship();
  assert.equal(batches.length, 0);
  Deno.writeTextFileSync(`${files}.out`, "one\n");
  await shipAll(ship, () => text() === "one\n");
  Deno.writeTextFileSync(`${files}.out`, "two\n", { append: true });
  Deno.writeTextFileSync(`${files}.err`, "bad\n");
  await shipAll(ship, () => text() === "one\ntwo\n");
  assert.equal(boundedText(endsOfPieces(pieces(7, "err")), 1024), "bad\n");
  // The short piece has grown: it is one still, and both outputs went together.
  assert.equal(pieces(7, "out").length, 1);
  assert.equal(batches.length, 2);
});

Deno.test("of a long output the first and the last part are kept, within the limit, also when it is cut", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  const limit = 4096;
  const { store, pieces } = memoryStore();
  const shipper = createOutputShipper(store, () => limit, (text) => assert.fail(text));
  const run = runOf(7, files);
  const keptBytes = () => pieces(7, "out").reduce((sum, { content }) => sum + content.length, 0);
  const text = () => boundedText(endsOfPieces(pieces(7, "out")), limit);
  Deno.writeTextFileSync(`${files}.err`, "");
  Deno.writeTextFileSync(`${files}.out`, "begin\n");
  for (const round of [1, 2, 3]) {
    Deno.writeTextFileSync(`${files}.out`, "x".repeat(9 * 1024 ** 2) + `\nround ${round}\n`, {
      append: true,
    });
    cutOutput(files, limit);
    await shipAll(() => shipper([run]), () => text().endsWith(`\nround ${round}\n`));
    assert.match(text(), /^begin\nxxx[^]*\n\[\.\.\. \d+ bytes left out \.\.\.\]\nxxx/);
    assert.ok(keptBytes() <= limit, `${keptBytes()} bytes are kept`);
  }
});

Deno.test("what could not be sent is told once and sent later", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  const { store, pieces, fail, attempts } = memoryStore();
  const told: string[] = [];
  const shipper = createOutputShipper(store, () => 1024, (text) => told.push(text));
  const ship = () => shipper([runOf(7, files)]);
  Deno.writeTextFileSync(`${files}.out`, "one\n");
  fail(new Error("out of reach"));
  await shipAll(ship, () => attempts() === 3);
  fail();
  await shipAll(ship, () => pieces(7, "out").length === 1);
  assert.deepEqual(told, ["cannot send what its commands print: out of reach"]);
});

Deno.test("many runs that print much take turns", async () => {
  await using folder = await temporaryFolder();
  const { store, batches, pieces } = memoryStore();
  const limit = 1024 ** 2;
  const shipper = createOutputShipper(store, () => limit, (text) => assert.fail(text));
  const runs = Array.from({ length: 12 }, (_, seq) => runOf(seq, `${folder.path}/${seq}.1`));
  for (const { files } of runs) {
    Deno.writeTextFileSync(`${files}.out`, "x".repeat(1024 ** 2));
    Deno.writeTextFileSync(`${files}.err`, "");
  }
  await shipAll(() => shipper(runs), () => runs.every((_, seq) => pieces(seq, "out").length > 0));
  for (const batch of batches) {
    assert.ok(batch.reduce((sum, { content }) => sum + content.length, 0) <= 2 * 1024 ** 2 + 16_384);
  }
});

Deno.test("bytes are read by their position among all that were printed, whatever was cut", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/7.1`;
  const read = (position: number, length: number) => {
    const found = readPrinted(files, "out", position, length)!;
    return [found.position, new TextDecoder().decode(found.content)];
  };
  assert.equal(printedLength(files, "out"), 0);
  const size = 17 * 1024 ** 2;
  Deno.writeTextFileSync(`${files}.out`, "0123456789" + "x".repeat(size - 20) + "abcdefghij");
  assert.deepEqual(read(2, 4), [2, "2345"]);
  cutOutput(files, 1024);
  assert.equal(printedLength(files, "out"), size);
  assert.deepEqual(read(2, 4), [2, "2345"]);
  assert.deepEqual(read(size - 10, 4), [size - 10, "abcd"]);
  // What was cut off is not there: the next that is.
  assert.deepEqual(read(1000, 4), [size - 480, "xxxx"]);
  Deno.writeTextFileSync(`${files}.out`, "more", { append: true });
  assert.equal(printedLength(files, "out"), size + 4);
  assert.deepEqual(read(size, 10), [size, "more"]);
  assert.deepEqual(read(size + 2, 10), [size + 2, "re"]);
});

Deno.test("files that are shortened to what is kept of them read the same", async () => {
  await using folder = await temporaryFolder();
  const limit = 4096;
  const lines = (count: number) => Array.from({ length: count }, (_, line) => `line ${line}\n`).join("");
  const outputs = {
    small: bytes(lines(9)),
    over: bytes(lines(2000)),
    cut: bytes(lines(2000).repeat(1000)),
    "no text": new Uint8Array(9000).fill(255),
  };
  for (const [name, output] of Object.entries(outputs)) {
    const files = `${folder.path}/${name}`;
    Deno.writeFileSync(`${files}.out`, output);
    Deno.writeTextFileSync(`${files}.err`, lines(3));
    assert.equal(cutOutput(files, limit), name === "cut");
    // Whoever has printed goes on a little.
    Deno.writeTextFileSync(`${files}.out`, name === "cut" ? lines(2000) : "", { append: true });
    const kept = readOutputs(files, limit);
    shortenOutputs(files, kept);
    assert.deepEqual(readOutputs(files, limit), kept, name);
    const size = [...Deno.readDirSync(folder.path)].filter((file) => file.name.startsWith(name))
      .reduce((sum, file) => sum + Deno.statSync(`${folder.path}/${file.name}`).size, 0);
    assert.ok(size <= limit + lines(3).length, `${name}: ${size}`);
  }
});
