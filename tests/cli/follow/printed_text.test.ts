import assert from "node:assert/strict";
import fc from "fast-check";
import { createPrintedText, lastLines } from "../../../src/cli/follow/printed_text.ts";
import { codePageOf } from "../../../src/worker/spool/code_pages.ts";
import { boundedText, type Ends, partLength } from "../../../src/worker/spool/output.ts";
import { lineDecoder, utf8Decoder } from "../../../src/worker/spool/output_text.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What the store keeps of an output. */
function stored(bytes: Uint8Array, limit: number, decoder = utf8Decoder): string {
  const length = partLength(limit);
  const ends: Ends = bytes.length <= limit ? { head: bytes, omitted: 0, tail: new Uint8Array() } : {
    head: bytes.subarray(0, length),
    omitted: bytes.length - 2 * length,
    tail: bytes.subarray(bytes.length - length),
  };
  return boundedText(ends, limit, decoder);
}

const pieceLengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });

/** Takes pieces of an output from its beginning; gives their text. */
function takeAll(text: ReturnType<typeof createPrintedText>, bytes: Uint8Array, lengths: number[]): string {
  return lengths.map((length) => {
    const at = text.position;
    return text.take(at, bytes.subarray(at, at + length));
  }).join("");
}

Deno.test("an output within the limit is told whole, wherever it is cut into pieces, whatever its bytes are", () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 900 }),
    fc.string({ unit: "binary", maxLength: 300 }).map(encode),
  );
  fc.assert(fc.property(anything, pieceLengths, (bytes, lengths) => {
    const whole = stored(bytes, 4096);
    const text = createPrintedText();
    assert.equal(takeAll(text, bytes, lengths) + text.rest(whole), whole);
  }));
});

/** Lines in a code page and in UTF-8, and of any bytes; most of what a code page has takes more bytes as UTF-8. */
const inCodePage = fc.array(
  fc.oneof(
    fc.uint8Array({ max: 0xfc, maxLength: 100 }).map((bytes) => bytes.map((byte) => byte === 0 ? 10 : byte)),
    fc.string({ unit: fc.constantFrom("ü", "日", "x", "\n"), maxLength: 60 }).map(encode),
  ),
  { maxLength: 12 },
).map((parts) => new Uint8Array(parts.flatMap((part) => [...part])));

Deno.test("an output in a code page is told whole, wherever it is cut into pieces", () => {
  for (const decoder of [437, 1252, 932].map((codePage) => lineDecoder(codePageOf(codePage)))) {
    fc.assert(fc.property(inCodePage, pieceLengths, (bytes, lengths) => {
      const whole = stored(bytes, 8192, decoder);
      const text = createPrintedText(decoder);
      assert.equal(takeAll(text, bytes, lengths) + text.rest(whole), whole);
    }));
  }
});

Deno.test("of an output in a code page that is over the limit nothing is told twice", () => {
  const decoder = lineDecoder(codePageOf(850));
  // Each line once, so that one that comes again is seen.
  const lines = Array.from({ length: 200 }, (_, index) => `${index} \x81\x84\r\n`).join("");
  const bytes = Uint8Array.from(lines, (character) => character.charCodeAt(0));
  const all = decoder.decode(bytes);
  for (const limit of [bytes.length - 1, bytes.length + 10]) {
    const whole = stored(bytes, limit, decoder);
    assert.match(whole, /left out/);
    for (const seen of [bytes.length, bytes.length - 3, bytes.length - 30]) {
      const text = createPrintedText(decoder);
      const told = text.take(0, bytes.subarray(0, seen));
      assert.equal(told + text.rest(whole), all);
    }
  }
});

Deno.test("what was told damaged, because only the host of the run knows its code page, is not told twice", () => {
  const text = createPrintedText();
  assert.equal(text.take(0, new Uint8Array([0x61, 0x84, 0x0a])), "a\uFFFD\n");
  assert.equal(text.rest("aä\nüb\n"), "üb\n");
});

Deno.test("of an output over the limit all is told that was seen, and then what there is", () => {
  const long = fc.string({ unit: "grapheme", minLength: 800, maxLength: 1500 }).map((text) =>
    encode(text.replaceAll("\0", "x"))
  );
  fc.assert(fc.property(long, pieceLengths, fc.integer({ min: 256, max: 600 }), (bytes, lengths, limit) => {
    fc.pre(bytes.length > limit);
    const text = createPrintedText();
    const seen = takeAll(text, bytes, lengths);
    const told = seen + text.rest(stored(bytes, limit));
    const tail = new TextDecoder().decode(bytes.subarray(bytes.length - 60)).replace(/^\uFFFD+/, "");
    assert.ok(told.startsWith(seen) && told.endsWith(tail));
    const omitted = /\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/.exec(told);
    const length = encode(told).length - (omitted ? encode(omitted[0]).length : 0);
    // At each side of a cut a character may have been cut through.
    assert.ok(Math.abs(length + Number(omitted?.[1] ?? 0) - bytes.length) <= 18, told);
  }));
});

Deno.test("a cut that was seen while the command printed is marked, and the end is not repeated", () => {
  const text = createPrintedText();
  assert.equal(text.take(0, encode("0123456789")), "0123456789");
  assert.equal(text.take(500, encode("abc")), "\n[... 490 bytes left out ...]\nabc");
  assert.equal(text.take(499, encode("?abcd")), "d");
  assert.equal(text.rest("0123\n[... 489 bytes left out ...]\n3456789abcdef"), "ef");
  assert.equal(text.position, 506);
  assert.equal(text.leftOut, 490);
});

Deno.test("what is not in the stored text counts as left out, and a mark that the command has printed does not", () => {
  const half = "0123456789".repeat(50);
  const cut = `${half}\n[... 77 bytes left out ...]\n${half}`;
  const leftOut = (taken: string, rest: string | null) => {
    const text = createPrintedText();
    text.take(0, encode(taken));
    text.rest(rest);
    return text.leftOut;
  };
  assert.equal(leftOut("", cut), 77);
  assert.equal(leftOut("0123", cut), 77);
  assert.equal(leftOut(half + "x".repeat(77) + half.slice(9), cut), 0);
  assert.equal(leftOut(cut, cut), 0);
  assert.equal(leftOut("", "0123\n[... 77 bytes left out ...]\n" + half), 0);
  assert.equal(leftOut("0123", null), 0);
});

Deno.test("a mark that the command has printed itself is no cut", () => {
  const own = "a\n[... 7 bytes left out ...]\nb\n";
  const text = createPrintedText();
  assert.equal(text.take(0, encode(own.slice(0, 5))) + text.rest(own), own);
});

Deno.test("lastLines gives whole lines, also without a line end at the end", () => {
  const cases: Array<[string, number, string]> = [
    ["a\nb\nc\n", 2, "b\nc\n"],
    ["a\nb\nc", 2, "b\nc"],
    ["a\nb\n", 9, "a\nb\n"],
    ["a\n\n", 1, "\n"],
    ["\n\n", 2, "\n\n"],
    ["a\nb", 0, ""],
    ["", 3, ""],
    ["\n", 1, "\n"],
  ];
  for (const [text, count, expected] of cases) {
    assert.equal(lastLines(text, count), expected, JSON.stringify([text, count]));
  }
});
