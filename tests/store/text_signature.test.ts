/** Signatures: what is in a text is never missed, and most of what is not is told apart. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addText,
  createSignatures,
  folded,
  isUuid,
  mayBeInUuid,
  mayHold,
  soughtIn,
  tellsOf,
  textPieces,
  uuidPieces,
} from "../../src/store/text_signature.ts";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
const texts = fc.array(text, { minLength: 1, maxLength: 20 });

/** The signatures of texts, as short as they can be. */
function signaturesOf(texts: readonly string[], pieces = textPieces, count = 4): Uint8Array[] {
  const signatures = createSignatures(count);
  for (const each of texts) addText(signatures, each, pieces);
  return signatures.map(folded);
}

const mayBeThere = (signatures: readonly Uint8Array[], text: string, pieces = textPieces): boolean =>
  soughtIn(text, pieces, signatures.length).every(({ block, bits }) => mayHold(signatures[block], bits));

/** Part of a text, in other cases of its letters. */
const partOf = (text: string, from: number, length: number): string => {
  const start = Math.floor(from * text.length);
  return text.slice(start, start + Math.max(1, length)).replaceAll(
    /[a-z]/gi,
    (letter) => letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
};

Deno.test("signature: any part of a text is found, in whatever case its letters are", () => {
  fc.assert(
    fc.property(
      texts,
      fc.nat(),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.nat(40),
      (texts, which, from, length) => {
        const signatures = signaturesOf(texts);
        assert.ok(mayBeThere(signatures, partOf(texts[which % texts.length], from, length), textPieces));
        for (const each of texts) assert.ok(tellsOf(signatures, each, textPieces));
      },
    ),
  );
});

Deno.test("signature: any part of a UUID is found", () => {
  fc.assert(
    fc.property(fc.array(fc.uuid(), { minLength: 1 }), fc.nat(35), fc.nat(36), (ids, from, length) => {
      const signatures = signaturesOf(ids, uuidPieces);
      const part = partOf(ids[0], from / 36, length);
      assert.ok(mayBeInUuid(part));
      assert.ok(mayBeThere(signatures, part, uuidPieces));
      for (const id of ids) assert.ok(isUuid(id) && tellsOf(signatures, id, uuidPieces));
    }),
  );
});

Deno.test("signature: a text that is added to a short one is found too", () => {
  fc.assert(fc.property(texts, text, (texts, more) => {
    const signatures = signaturesOf(texts);
    addText(signatures, more, textPieces);
    for (const each of [...texts, more]) assert.ok(tellsOf(signatures, each, textPieces));
  }));
});

Deno.test("signature: of a thousand texts, hardly any word is found that is not there", () => {
  const commands = Array.from(
    { length: 1024 },
    (_, number) => `./convert.sh --quality 80 photos/${234_000 + number}.jpg`,
  );
  const signatures = signaturesOf(commands);
  const all = commands.join("\n");
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const words = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
  const absent = words.filter((word) => !all.includes(word));
  const wrong = absent.filter((word) => mayBeThere(signatures, word, textPieces));
  assert.ok(absent.length > 17_000);
  assert.ok(wrong.length < absent.length / 20, `${wrong.length} of ${absent.length}`);
  // Numbers that were counted up differ in their first digits only.
  assert.ok(mayBeThere(signatures, "234567", textPieces));
  assert.equal(mayBeThere(signatures, "765432", textPieces), false);
});

Deno.test("signature: its length is that of what it tells", () => {
  const lengths = (texts: readonly string[]) => signaturesOf(texts).map(({ length }) => length);
  assert.deepEqual(lengths(["true"]), [16, 16, 16, 16]);
  assert.deepEqual(lengths(Array.from({ length: 20_000 }, (_, number) => `${number * 7919}x`)), [
    4096,
    4096,
    4096,
    4096,
  ]);
  // Where every bit is set, it is not shortened.
  const [full] = createSignatures(1);
  assert.equal(folded(full.fill(255)).length, full.length);
});

Deno.test("signature: which texts can be a part of a UUID", () => {
  const cases: Array<[string, boolean]> = [
    ["a", true],
    ["0", true],
    ["-", true],
    ["DEADBEEF", true],
    ["deadbeef-", true],
    ["-beef-", true],
    ["deadbeef0", true],
    ["deadbeef0-", false],
    ["2026-11-28", false],
    ["1234567890ab", true],
    ["1234567890abc", false],
    ["01a20b98-e9fd-7044-af79-15a9e92ed725", true],
    ["01a20b98-e9fd-7044-af79-15a9e92ed725f", false],
    ["xyz", false],
    ["be ef", false],
    ["", false],
  ];
  for (const [text, expected] of cases) assert.equal(mayBeInUuid(text), expected, text);
});
