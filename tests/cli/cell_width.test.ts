/** Text measured, cut and broken in the cells of a terminal. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  breakToWidth,
  cutToWidth,
  padToWidth,
  plainWidth,
  widthFor,
} from "../../src/cli/output/cell_width.ts";
import { printable } from "../../src/base/printable.ts";

const widthOf = await widthFor(["日"]);

/** Text as it comes into tables, with all kinds of characters. */
const anyText = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" })).map(printable);

Deno.test("widths are those of the characters on a terminal", async () => {
  const cases: Array<[string, number]> = [
    ["", 0],
    ["plain", 5],
    ["cut…", 4],
    ["a↵b", 3],
    ["äß", 2],
    ["e\u0301", 1],
    ["日本", 4],
    ["한글", 4],
    ["ｱ", 1],
    ["👩‍👩‍👧‍👦", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
  ];
  for (const [text, width] of cases) assert.equal(widthOf(text), width, text);
  assert.equal(await widthFor(["plain", "cut…"]), plainWidth);
});

Deno.test("text is cut to a width, never through a character", () => {
  const cases: Array<[string, number, string, string]> = [
    ["abcdef", 6, "abcdef", "abcdef"],
    ["abcdefg", 6, "abcde…", "…cdefg"],
    ["日本語", 6, "日本語", "日本語"],
    ["日本語", 5, "日本…", "…本語"],
    ["日本語", 4, "日…", "…語"],
    ["ae\u0301e\u0301", 2, "a…", "…e\u0301"],
    ["a👩‍👩‍👧‍👦b", 3, "a…", "…b"],
    ["a👩‍👩‍👧‍👦bc", 4, "a👩‍👩‍👧‍👦…", "…bc"],
    ["日", 1, "…", "…"],
    ["ab", 0, "", ""],
  ];
  for (const [text, width, beginning, end] of cases) {
    assert.equal(cutToWidth(text, width, widthOf), beginning);
    assert.equal(cutToWidth(text, width, widthOf, "end"), end);
  }
});

Deno.test("text that is cut and padded has its width, and none is cut that fits", () => {
  fc.assert(fc.property(anyText, fc.nat(40), fc.boolean(), (text, width, atEnd) => {
    const cut = cutToWidth(text, width, widthOf, atEnd ? "end" : "beginning");
    assert.equal(widthOf(padToWidth(cut, width, widthOf)), width);
    if (widthOf(text) <= width) assert.equal(cut, text);
    else if (width > 0) assert.ok(text[atEnd ? "endsWith" : "startsWith"](cut.replace("…", "")));
  }));
});

Deno.test("text is broken after a space where there is one near the end, and nothing of it is lost", () => {
  assert.deepEqual(breakToWidth("one two three", 20, widthOf), ["one two three"]);
  assert.deepEqual(breakToWidth("one two three", 10, widthOf), ["one two ", "three"]);
  assert.deepEqual(breakToWidth("a 0123456789", 6, widthOf), ["a 0123", "456789"]);
  assert.deepEqual(breakToWidth("日本語", 3, widthOf), ["日", "本", "語"]);
  fc.assert(fc.property(anyText, fc.integer({ min: 4, max: 40 }), (text, width) => {
    const lines = breakToWidth(text, width, widthOf);
    assert.equal(lines.join(""), text);
    for (const line of lines) {
      assert.ok(widthOf(line) <= width || [...new Intl.Segmenter().segment(line)].length < 2);
    }
  }));
});
