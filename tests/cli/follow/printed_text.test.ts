import assert from "node:assert/strict";
import fc from "fast-check";
import { createPrintedText, lastLines } from "../../../src/cli/follow/printed_text.ts";
import { boundedText, type Ends, partLength } from "../../../src/worker/output.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What the store keeps of an output. */
function stored(bytes: Uint8Array, limit: number): string {
  const length = partLength(limit);
  const ends: Ends = bytes.length <= limit ? { head: bytes, omitted: 0, tail: new Uint8Array() } : {
    head: bytes.subarray(0, length),
    omitted: bytes.length - 2 * length,
    tail: bytes.subarray(bytes.length - length),
  };
  return boundedText(ends, limit);
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
