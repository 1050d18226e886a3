/** Spans of keys: made of parts, and read in turn. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  areFew,
  isWorthALook,
  partOf,
  partSize,
  partsOfKeys,
  sizeOf,
  type Span,
  spansInTurn,
  spansOf,
  startOf,
  within,
} from "../../src/store/key_parts.ts";

const parts = fc.uniqueArray(fc.nat(200), { maxLength: 30 }).map((parts) => parts.sort((a, b) => a - b));

const keysOf = (spans: readonly Span[]): number[] =>
  spans.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index));

Deno.test("spans: those of parts have all their keys, once, in as few spans as there can be", () => {
  fc.assert(fc.property(parts, fc.nat(10), fc.nat(3000), (parts, gap, behind) => {
    const next = startOf((parts.at(-1) ?? -1) + 1 + gap);
    const spans = spansOf(parts, next, { from: 0, to: next + behind - 1 });
    const expected = parts.flatMap((part) => keysOf([{ from: startOf(part), to: startOf(part + 1) - 1 }]));
    assert.deepEqual(keysOf(spans), [
      ...expected,
      ...behind > 0 ? keysOf([{ from: next, to: next + behind - 1 }]) : [],
    ]);
    spans.slice(1).forEach(({ from }, index) => assert.ok(spans[index].to < from - 1));
    assert.equal(sizeOf(spans), keysOf(spans).length);
  }));
});

Deno.test("spans: nothing is behind the parts where the last key is before that", () => {
  assert.deepEqual(spansOf([1], startOf(2), { from: 0, to: startOf(2) - 1 }), [{
    from: startOf(1),
    to: startOf(2) - 1,
  }]);
  assert.deepEqual(spansOf([], 0, { from: 0, to: 0 }), [{ from: 0, to: 0 }]);
  assert.deepEqual(spansOf([], startOf(5), { from: 0, to: 17 }), []);
});

Deno.test("spans in turn: all keys on their side of a place, in order, ever more at once", () => {
  fc.assert(
    fc.property(
      parts,
      fc.boolean(),
      fc.option(fc.nat(startOf(220)), { nil: undefined }),
      (parts, descending, behind) => {
        const next = startOf((parts.at(-1) ?? -1) + 1);
        const spans = spansOf(parts, next, { from: 0, to: next + 20_000 });
        const turns = [...spansInTurn(spans, descending, behind)];
        const isBehind = (key: number) => behind === undefined || (descending ? key < behind : key > behind);
        const keys = turns.map((turn) => keysOf(turn).sort((a, b) => descending ? b - a : a - b));
        const expected = keysOf(spans).filter(isBehind);
        assert.deepEqual(keys.flat(), descending ? expected.reverse() : expected);
        keys.forEach(({ length }, index) => {
          const most = 8 * partSize * 2 ** index;
          assert.ok(index === keys.length - 1 ? length <= most : length === most);
        });
      },
    ),
  );
});

Deno.test("parts of keys", () => {
  assert.deepEqual([0, 1023, 1024, 1025, 2 ** 40].map(partOf), [0, 0, 1, 1, 2 ** 30]);
  assert.deepEqual(partsOfKeys([5000, 3, 1, 1024, 1023]), [0, 1, 4]);
  const span = { from: 1, to: 20 };
  assert.deepEqual([areFew([span], { from: 1, to: 100 }), areFew([span], { from: 1, to: 99 })], [
    true,
    false,
  ]);
  assert.equal(areFew([], { from: 1, to: 0 }), true);
  assert.deepEqual(within([{ from: 1, to: 5 }, { from: 8, to: 9 }], { from: 3, to: 8 }), [
    { from: 3, to: 5 },
    { from: 8, to: 8 },
  ]);
  assert.deepEqual(within([span], { from: 21, to: 30 }), []);
  const all = { from: 1, to: 1_000_000 };
  assert.deepEqual([Infinity, 10_001, 9999].map((size) => isWorthALook(size, all)), [true, true, false]);
  assert.equal(isWorthALook(Infinity, { from: 1, to: 1000 }), false);
});
