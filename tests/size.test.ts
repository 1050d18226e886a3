import assert from "node:assert/strict";
import fc from "fast-check";
import { formatSize, parseSize } from "../src/base/size.ts";

const readable: Array<[string, number]> = [
  ["0", 0],
  ["4096", 4096],
  ["10B", 10],
  ["64KiB", 65_536],
  ["1MiB", 1_048_576],
  ["2GiB", 2_147_483_648],
  ["1mib", 1_048_576],
  ["1MIB", 1_048_576],
  [" 1KiB ", 1024],
];

for (const [text, expected] of readable) {
  Deno.test(`parseSize(${JSON.stringify(text)}) is ${expected}`, () => {
    assert.equal(parseSize(text), expected);
  });
}

Deno.test("parseSize gives undefined for a text that is not a size", () => {
  const texts = [
    "",
    "KiB",
    "-1",
    "+1",
    "1.5MiB",
    "1 KiB",
    "1KB",
    "1k",
    "1TiB",
    "1e3",
    "0x10",
    "1234567890123",
  ];
  for (const text of texts) assert.equal(parseSize(text), undefined, `"${text}"`);
});

Deno.test("formatSize writes the largest unit that divides", () => {
  const cases: Array<[number, string]> = [
    [0, "0B"],
    [1, "1B"],
    [1025, "1025B"],
    [1024, "1KiB"],
    [1_572_864, "1536KiB"],
    [1_048_576, "1MiB"],
    [3 * 1024 ** 3, "3GiB"],
  ];
  for (const [value, expected] of cases) assert.equal(formatSize(value), expected);
});

Deno.test("what formatSize writes, parseSize reads as the same number", () => {
  const bytes = fc.tuple(
    fc.integer({ min: 0, max: 1_000_000 }),
    fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3),
  )
    .map(([value, unit]) => value * unit);
  fc.assert(fc.property(bytes, (value) => parseSize(formatSize(value)) === value));
});

Deno.test("parseSize gives a whole number or undefined for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const value = parseSize(text);
    return value === undefined || Number.isSafeInteger(value) && value >= 0;
  }));
});
