import assert from "node:assert/strict";
import fc from "fast-check";
import { boundedText, type Ends, lastBytes, partLength } from "../../src/worker/spool/output.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const bytesOf = (text: string) => encode(text).length;
const mark = /\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/;
const whole = (bytes: Uint8Array): Ends => ({ head: bytes, omitted: 0, tail: new Uint8Array() });

/** What the spool reads of a file of this content. */
function endsOf(bytes: Uint8Array, limit: number): Ends {
  if (bytes.length <= limit) return whole(bytes);
  const length = partLength(limit);
  return {
    head: bytes.subarray(0, length),
    omitted: bytes.length - 2 * length,
    tail: bytes.subarray(bytes.length - length),
  };
}

const limits = fc.integer({ min: 1024, max: 3000 });
const bytes = fc.uint8Array({ maxLength: 5000 });
const text = fc.string({ unit: "binary", maxLength: 2500 });
/** Bytes that are mostly text, with what cannot be stored in between. */
const damagedText = fc.tuple(fc.string({ unit: "grapheme", maxLength: 2000 }), bytes, text)
  .map(([start, middle, end]) =>
    new Uint8Array([...encode(start), ...middle.subarray(0, 20), ...encode(end)])
  );

Deno.test("bounded output is never over the limit, and always text without NUL", () => {
  fc.assert(fc.property(fc.oneof(bytes, damagedText), limits, (input, limit) => {
    const output = boundedText(endsOf(input, limit), limit);
    assert.ok(bytesOf(output) <= limit, `${bytesOf(output)} bytes of ${limit}`);
    assert.ok(output.isWellFormed() && !output.includes("\0"));
  }));
});

Deno.test("text within the limit is unchanged, but for NUL", () => {
  fc.assert(fc.property(text, limits, (input, limit) => {
    fc.pre(bytesOf(input) <= limit && !input.includes("\0"));
    assert.equal(boundedText(whole(encode(input)), limit), input);
  }));
  assert.equal(boundedText(whole(encode("\uFEFFa\0b")), 1024), "\uFEFFa\uFFFDb");
  assert.equal(boundedText(whole(new Uint8Array()), 1024), "");
});

Deno.test("text over the limit keeps its beginning and its end, and the mark says what is missing", () => {
  const long = fc.string({ unit: "grapheme", minLength: 1100, maxLength: 2500 });
  fc.assert(
    fc.property(long, fc.integer({ min: 1024, max: 1100 }), (input, limit) => {
      fc.pre(bytesOf(input) > limit && !input.includes("\0"));
      const output = boundedText(endsOf(encode(input), limit), limit);
      const match = mark.exec(output)!;
      const head = output.slice(0, match.index);
      const tail = output.slice(match.index + match[0].length);
      assert.ok(input.startsWith(head) && input.endsWith(tail));
      // Of the character that a cut goes through nothing is kept: up to three bytes at each.
      const shortest = partLength(limit) - 3;
      assert.ok(
        bytesOf(head) >= shortest && bytesOf(tail) >= shortest,
        `${bytesOf(head)} and ${bytesOf(tail)}`,
      );
      assert.equal(bytesOf(head) + Number(match[1]) + bytesOf(tail), bytesOf(input));
    }),
    { endOnFailure: true },
  );
});

Deno.test("the mark counts what was cut earlier", () => {
  const part = encode("x".repeat(partLength(1024)));
  const output = boundedText({ head: part, omitted: 10 ** 12, tail: part }, 1024);
  assert.equal(mark.exec(output)?.[1], String(10 ** 12));
  assert.ok(bytesOf(output) <= 1024);
  // Small beginnings of what was cut are there as they are.
  const short = boundedText({ head: encode("a"), omitted: 5, tail: encode("b") }, 1024);
  assert.equal(short, "a\n[... 5 bytes left out ...]\nb");
});

Deno.test("half a character becomes a replacement character, at a cut it is left out", () => {
  const smile = encode("🙂");
  for (const length of [1, 2, 3]) {
    assert.match(boundedText(whole(smile.subarray(0, length)), 1024), /^\uFFFD+$/);
    // The cut goes through a character at every one of its bytes.
    const head = encode("x".repeat(partLength(1024) - length) + "🙂").subarray(0, partLength(1024));
    const tail = encode("🙂" + "x".repeat(partLength(1024) - length)).subarray(4 - length);
    const output = boundedText({ head, omitted: 100, tail: tail.subarray(0, partLength(1024)) }, 1024);
    assert.match(output.slice(0, mark.exec(output)!.index), /^x+$/);
    assert.match(output.slice(output.lastIndexOf("]\n") + 2), /^x+$/);
    assert.ok(bytesOf(output) <= 1024);
  }
  // Binary, of which every byte takes three as text.
  const output = boundedText(whole(new Uint8Array(1024).fill(0x80)), 1024);
  assert.ok(bytesOf(output) <= 1024);
  assert.match(output, /^\uFFFD+\n\[\.\.\. \d+ bytes left out \.\.\.\]\n\uFFFD+$/);
});

Deno.test("the last bytes of two pieces are those of both together", () => {
  fc.assert(fc.property(bytes, bytes, fc.nat(6000), (first, second, length) => {
    const both = [...first, ...second];
    assert.deepEqual([...lastBytes(first, second, length)], length === 0 ? [] : both.slice(-length));
  }));
});
