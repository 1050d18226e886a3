import assert from "node:assert/strict";
import { createRunReader } from "../../../src/cli/follow/run_reader.ts";
import { codePageOf } from "../../../src/worker/spool/code_pages.ts";
import { createCodePageText } from "../../../src/worker/spool/host_text.ts";
import { cutOutput, readPrinted } from "../../../src/worker/spool/spool_output.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

Deno.test("what was read in the moment in which the files of a run are removed is not lost", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/1.1`;
  Deno.writeTextFileSync(`${files}.out`, "out\n");
  Deno.writeTextFileSync(`${files}.err`, "bad\n");
  const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
  const reader = createRunReader(store, 1, 1, undefined, (path, stream, position, length) => {
    if (stream === "err") { for (const name of ["out", "err"]) Deno.removeSync(`${path}.${name}`); }
    return readPrinted(path, stream, position, length);
  });
  const first = await reader.look(true);
  assert.deepEqual(first, { pieces: [{ stream: "out", text: "out\n" }], more: false, gone: true });
  const rest = reader.rest({ output: "out\nlast\n", errorOutput: "bad\n" });
  assert.deepEqual(await Array.fromAsync(rest), [{ stream: "out", text: "last\n" }, {
    stream: "err",
    text: "bad\n",
  }]);
});

Deno.test("a run that is not here is asked of the store, from where it was left", async () => {
  await using folder = await temporaryFolder();
  const asked: unknown[] = [];
  const reader = createRunReader(
    {
      spool: folder.path,
      keptOutput(seq, run, after) {
        asked.push([seq, run, after]);
        return Promise.resolve([{ stream: "out", position: 0, content: new TextEncoder().encode("abc") }]);
      },
    },
    7,
    2,
  );
  assert.deepEqual(await reader.look(false), { pieces: [], more: false, gone: false });
  assert.deepEqual((await reader.look(true)).pieces, [{ stream: "out", text: "abc" }]);
  assert.deepEqual((await reader.look(true)).pieces, [{ stream: "out", text: "" }]);
  assert.deepEqual(asked, [[7, 2, { out: 0, err: 0 }], [7, 2, { out: 3, err: 0 }]]);
});

Deno.test("what a run prints in a code page is read line by line, and its open line when it has ended", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/1.1.out`;
  const append = (...bytes: number[]) =>
    Deno.writeFileSync(path, new Uint8Array(bytes), { append: true, create: true });
  const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
  const host = createCodePageText(() => Promise.resolve(codePageOf(850)));
  const reader = createRunReader(store, 1, 1, undefined, readPrinted, host);
  const read = async () => (await reader.look(false)).pieces.map(({ text }) => text).join("");
  append(0x61, 0x84);
  assert.equal(await read(), "a");
  append(0x0d, 0x0a, 0x62, 0xe1);
  assert.equal(await read(), "ä\r\nb");
  assert.deepEqual(await Array.fromAsync(reader.rest({ output: "aä\r\nbß", errorOutput: "" })), [
    { stream: "out", text: "ß" },
    { stream: "err", text: "" },
  ]);
});

Deno.test("what was left to readers of a run that has ended is read to its end, and told to have been read", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/1.1`;
  Deno.writeTextFileSync(`${files}.out`, "begin\n");
  Deno.writeTextFileSync(`${files}.err`, "");
  const read: string[] = [];
  const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
  const reader = createRunReader(store, 1, 1, { hasRead: (files) => void read.push(files) });
  assert.deepEqual((await reader.look(true)).pieces, [{ stream: "out", text: "begin\n" }]);
  Deno.writeTextFileSync(`${files}.out`, "x".repeat(3 * 1024 ** 2), { append: true });
  const rest = await Array.fromAsync(
    reader.rest({ output: "begin\n\n[... 3145728 bytes left out ...]\n", errorOutput: "" }),
  );
  assert.equal(rest.map(({ text }) => text).join(""), "x".repeat(3 * 1024 ** 2));
  assert.deepEqual([read, reader.leftOut()], [[files], { out: 0, err: 0 }]);
});

const mebibyte = 1024 ** 2;
/** Ways to cut a file: by giving back its space where the system can do that, and by emptying it. */
const ways = { "its space is given back": undefined, "it is emptied": () => false };

/** Numbered lines of 4 KiB, appended to a file. */
const width = 4096;
function printer(path: string) {
  let whole = "";
  return {
    print(mebibytes: number): void {
      const from = whole.length / width;
      const lines = Array.from(
        { length: mebibytes * mebibyte / width },
        (_, line) => `${from + line}`.padStart(width - 1),
      );
      const text = `${lines.join("\n")}\n`;
      Deno.writeTextFileSync(path, text, { append: true, create: true });
      whole += text;
    },
    /** Whether a text is all that was printed, in order, but for what its marks count; how much that is. */
    leftOutOf(text: string): number {
      let position = 0;
      let leftOut = 0;
      for (const [index, part] of text.split(/\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/).entries()) {
        if (index % 2 === 1) leftOut += Number(part);
        else assert.ok(whole.startsWith(part, position), `at ${position}: ${part.slice(0, 40)}`);
        position += index % 2 === 1 ? Number(part) : part.length;
      }
      assert.equal(position, whole.length);
      return leftOut;
    },
  };
}

/** Does something before a file is opened for the nth time (from 0), until disposed of; `opened` is how often one was. */
function beforeOpening(nth: number, action: () => void) {
  const { openSync } = Deno;
  let opened = 0;
  Deno.openSync = (...args) => {
    if (opened++ === nth) {
      Deno.openSync = openSync;
      action();
    }
    return openSync(...args);
  };
  return {
    opened: () => opened,
    [Symbol.dispose]: () => void (Deno.openSync = openSync),
  };
}

for (const [way, free] of Object.entries(ways)) {
  for (const cuts of [1, 2]) {
    Deno.test(`each byte is printed or counted at its place, wherever ${cuts} cuts come; ${way}`, async () => {
      const limit = 2 * mebibyte;
      const store = { spool: "", keptOutput: () => Promise.resolve([]) };
      let seen = 0;
      for (let nth = 0, opened = Infinity; nth < opened; nth += cuts) {
        await using folder = await temporaryFolder();
        const files = `${folder.path}/1.1`;
        const { print, leftOutOf } = printer(`${files}.out`);
        const cut = () => {
          print(19);
          assert.ok(cutOutput(files, limit, undefined, free));
          print(2);
        };
        Deno.writeTextFileSync(`${files}.err`, "");
        // What is read first is kept of an earlier cut.
        cut();
        const reader = createRunReader({ ...store, spool: folder.path }, 1, 1);
        let text = "";
        {
          using opening = beforeOpening(nth, () => Array.from({ length: cuts }, cut));
          for (let more = true; more;) {
            const look = await reader.look(false);
            text += look.pieces.map(({ text }) => text).join("");
            more = look.more;
          }
          opened = opening.opened();
        }
        print(1);
        for await (const { text: last } of reader.rest({ output: "none", errorOutput: "" })) text += last;
        seen += leftOutOf(text);
        assert.deepEqual(reader.leftOut(), { out: leftOutOf(text), err: 0 });
      }
      assert.ok(seen > 0);
    });
  }
}

Deno.test("what is printed while an output is cut is read at its place, before and after", async () => {
  for (const isFreed of [true, false]) {
    await using folder = await temporaryFolder();
    const files = `${folder.path}/1.1`;
    const { print, leftOutOf } = printer(`${files}.out`);
    Deno.writeTextFileSync(`${files}.err`, "");
    print(21);
    const next = () => new TextDecoder().decode(readPrinted(files, "out", 21 * mebibyte, width)?.content);
    const line = `${21 * mebibyte / width}\n`.padStart(width);
    const isCut = cutOutput(files, 4 * mebibyte, undefined, () => {
      print(1);
      assert.equal(next(), line);
      return isFreed;
    });
    assert.ok(isCut);
    assert.equal(next(), line);
    const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
    const rest = createRunReader(store, 1, 1).rest({ output: "none", errorOutput: "" });
    assert.ok(leftOutOf((await Array.fromAsync(rest)).map(({ text }) => text).join("")) > 16 * mebibyte);
  }
});

Deno.test("in the moment in which an output is emptied nothing is read, and in the end what is stored", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/1.1`;
  const { print } = printer(`${files}.out`);
  Deno.writeTextFileSync(`${files}.err`, "");
  print(18);
  const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
  const reader = createRunReader(store, 1, 1);
  cutOutput(files, mebibyte, undefined, () => {
    Deno.truncateSync(`${files}.out`);
    return true;
  });
  const ended = { output: "begin\n\n[... 7 bytes left out ...]\nended\n", errorOutput: "" };
  assert.deepEqual(await reader.look(false), { pieces: [], more: false, gone: false });
  const rest = await Array.fromAsync(reader.rest(ended));
  assert.deepEqual([rest.map(({ text }) => text).join(""), reader.leftOut().out], [ended.output, 7]);
});
