import assert from "node:assert/strict";
import fc from "fast-check";
import { type Line, readLines } from "../../src/cli/standard_input.ts";

async function linesOf(chunks: Uint8Array[]): Promise<Line[]> {
  return (await Array.fromAsync(readLines(ReadableStream.from(chunks)))).flat();
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("lines are numbered, the last needs no line break, a byte order mark is dropped", async () => {
  assert.deepEqual(await linesOf([bytes("\uFEFFa\n\nb\uFEFF\r\nc")]), [
    { number: 1, text: "a" },
    { number: 2, text: "" },
    { number: 3, text: "b\uFEFF\r" },
    { number: 4, text: "c" },
  ]);
  assert.deepEqual(await linesOf([]), []);
});

Deno.test("lines are the same however the input is cut into chunks", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\n", "ä", "🎉", "\r") });
  await fc.assert(fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (text, size) => {
    const whole = bytes(text);
    const chunks = Array.from(
      { length: Math.ceil(whole.length / size) },
      (_, i) => whole.slice(i * size, (i + 1) * size),
    );
    const expected = text.endsWith("\n")
      ? text.slice(0, -1).split("\n")
      : text === ""
      ? []
      : text.split("\n");
    assert.deepEqual((await linesOf(chunks)).map((line) => line.text), expected);
  }));
});

Deno.test("a line that is not UTF-8 is refused by its number", async () => {
  await assert.rejects(linesOf([bytes("a\n"), new Uint8Array([0xff, 10])]), {
    code: "usage",
    message: "Line 2: The text is not valid UTF-8",
  });
});

Deno.test("a file in UTF-16 is refused as that", async () => {
  for (const mark of [[0xff, 0xfe], [0xfe, 0xff]]) {
    await assert.rejects(linesOf([new Uint8Array([...mark, 97, 0, 10, 0])]), {
      code: "usage",
      message: /^Line 1: The text is UTF-16, which ">" of Windows PowerShell writes; save it as UTF-8$/,
    });
  }
  await assert.rejects(linesOf([bytes("a\n"), new Uint8Array([0xff, 0xfe, 10])]), {
    message: "Line 2: The text is not valid UTF-8",
  });
});

Deno.test("the lines before one that is refused are read", async () => {
  const lines: string[] = [];
  const chunks = ReadableStream.from([bytes("a\nb\n"), new Uint8Array([97, 10, 98, 10, 0xff, 10, 99, 10])]);
  await assert.rejects(async () => {
    for await (const block of readLines(chunks)) lines.push(...block.map((line) => line.text));
  }, { message: "Line 5: The text is not valid UTF-8" });
  assert.deepEqual(lines, ["a", "b", "a", "b"]);
});

Deno.test("a line of 1 MiB is read, one byte more is refused, before its end is seen", async () => {
  const mebibyte = new Uint8Array(1024 ** 2).fill(97);
  assert.equal((await linesOf([mebibyte, bytes("\nb")]))[0].text.length, mebibyte.length);
  const tooLong = { code: "usage", message: "Line 2: The line is longer than 1 MiB" };
  await assert.rejects(linesOf([bytes("a\n"), mebibyte, bytes("b\n")]), tooLong);
  async function* endless() {
    yield bytes("a\n");
    while (true) yield await Promise.resolve(mebibyte);
  }
  await assert.rejects(Array.fromAsync(readLines(endless())), tooLong);
});
