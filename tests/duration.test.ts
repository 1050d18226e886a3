import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatDuration,
  formatSeconds,
  maxDuration,
  parseDuration,
  spelledDuration,
} from "../src/base/duration.ts";

const milliseconds = fc.integer({ min: 0, max: maxDuration });

const readable: Array<[string, number]> = [
  ["0", 0],
  ["5", 5000],
  ["500ms", 500],
  ["30s", 30_000],
  ["10m", 600_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  ["1.5m", 90_000],
  ["0.25", 250],
  ["0.6ms", 1],
  // Not 0, which stands for "no limit" in places.
  ["0.4ms", 1],
  ["0.0000000001", 1],
  ["0.333333333333", 333],
  ["1e3", 1_000_000],
  ["2.5E-1m", 15_000],
  ["007", 7000],
  [" 5s\n", 5000],
  ["36500d", maxDuration],
];

for (const [text, expected] of readable) {
  Deno.test(`parseDuration(${JSON.stringify(text)}) is ${expected}`, () => {
    assert.equal(parseDuration(text), expected);
  });
}

Deno.test("parseDuration gives undefined for a text that is not a duration", () => {
  const texts = [
    "",
    " ",
    "s",
    "-1s",
    "+1s",
    "1 s",
    "1S",
    "1w",
    "1e",
    "1e400",
    ".5s",
    "5.s",
    "1h30m",
    "0x10",
    "NaN",
    "١s",
  ];
  for (const text of texts) assert.equal(parseDuration(text), undefined, `"${text}"`);
});

Deno.test("parseDuration gives undefined for a duration over the longest", () => {
  for (const text of ["36500.1d", "36501d", "999999999999999d"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration writes the largest unit that divides", () => {
  const cases: Array<[number, string]> = [
    [0, "0s"],
    [1, "1ms"],
    [1500, "1500ms"],
    [30_000, "30s"],
    [90_000, "90s"],
    [600_000, "10m"],
    [3_600_000, "1h"],
    [86_400_000, "1d"],
    [90_000_000, "25h"],
  ];
  for (const [value, expected] of cases) assert.equal(formatDuration(value), expected);
});

Deno.test("what formatDuration writes, parseDuration reads as the same number", () => {
  fc.assert(fc.property(milliseconds, (value) => parseDuration(formatDuration(value)) === value));
});

Deno.test("parseDuration gives a whole number within bounds, or undefined, for any text", () => {
  const duration = fc.tuple(fc.double({ noNaN: true }), fc.constantFrom("", "ms", "s", "m", "h", "d")).map(
    ([value, unit]) => `${value}${unit}`,
  );
  fc.assert(fc.property(fc.oneof(fc.string(), duration), (text) => {
    const value = parseDuration(text);
    return value === undefined || Number.isInteger(value) && value >= 0 && value <= maxDuration;
  }));
});

Deno.test("spelledDuration has one or two units", () => {
  const cases: Array<[number, string]> = [
    [-5, "0ms"],
    [0, "0ms"],
    [349.6, "350ms"],
    [1000, "1s"],
    [2599, "2.5s"],
    [59_999, "59.9s"],
    [60_000, "1m"],
    [185_000, "3m 5s"],
    [7_800_000, "2h 10m"],
    [3_600_000, "1h"],
    [100_800_000, "1d 4h"],
    [864_000_000, "10d"],
  ];
  for (const [value, expected] of cases) assert.equal(spelledDuration(value), expected);
});

Deno.test("formatSeconds writes a plain number of seconds", () => {
  const cases: Array<[number, string]> = [[0, "0"], [500, "0.5"], [2000, "2"], [2050, "2.05"], [
    3_600_000,
    "3600",
  ]];
  for (const [value, expected] of cases) assert.equal(formatSeconds(value), expected);
});

Deno.test("formatSeconds never falls into scientific notation", () => {
  fc.assert(fc.property(milliseconds, (value) => /^\d+(\.\d{1,3})?$/.test(formatSeconds(value))));
});
