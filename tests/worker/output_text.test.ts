/** Output in the code pages of Windows' consoles: on any system, for none of it asks which this is. */

import assert from "node:assert/strict";
import fc from "fast-check";
import iconv from "iconv-lite";
import { codePageOf } from "../../src/worker/spool/code_pages.ts";
import { createCodePageText, hostText } from "../../src/worker/spool/host_text.ts";
import { boundedText, type Ends, partLength } from "../../src/worker/spool/output.ts";
import { lineDecoder, utf8Decoder } from "../../src/worker/spool/output_text.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytesIn = (codePage: number, text: string) => new Uint8Array(iconv.encode(text, `cp${codePage}`));
const join = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
const decoderOf = (codePage: number) => lineDecoder(codePageOf(codePage));

/** Text that a code page has. */
const samples: Array<[codePage: number, text: string]> = [
  [437, "äüß É ░▒▓ ½"],
  [850, "äüß É ãõ ©"],
  [852, "äüß łśż"],
  [866, "Привет"],
  [1252, "äüß É € “”"],
  [932, "日本語 カタカナ ｶﾅ ソ表 ①"],
  [936, "中文 字符"],
  [949, "한국어"],
  [950, "中文 許功蓋"],
];

Deno.test("what cmd prints in a code page is read as such", () => {
  // From the tables at unicode.org/Public/MAPPINGS/VENDORS/MICSFT, not from the library.
  for (
    const [codePage, bytes, text] of [
      [437, [0x84, 0xe1, 0x3f, 0x81], "äß?ü"],
      [850, [0x84, 0xe1, 0x3f, 0x81], "äß?ü"],
      [1252, [0xe4, 0xdf, 0x80, 0xfc], "äß€ü"],
      [932, [0x93, 0xfa, 0x96, 0x7b, 0x83, 0x5c], "日本ソ"],
    ] as const
  ) assert.equal(decoderOf(codePage).decode(new Uint8Array(bytes)), text, String(codePage));
  for (const [codePage, text] of samples) {
    assert.equal(decoderOf(codePage).decode(bytesIn(codePage, text)), text, String(codePage));
  }
});

Deno.test("each line is either UTF-8 or in the code page", () => {
  for (const [codePage, text] of samples) {
    const decoder = decoderOf(codePage);
    const mixed = join(
      ...[utf8(`plain\r\n${text} €\r\n`), bytesIn(codePage, `${text}\r\n`), utf8(`10 %\r${text}😀\r`)],
      ...[bytesIn(codePage, `${text}\r`), utf8("\uFFFD printed\n\n"), bytesIn(codePage, text)],
    );
    assert.equal(
      decoder.decode(mixed),
      `plain\r\n${text} €\r\n${text}\r\n10 %\r${text}😀\r${text}\r\uFFFD printed\n\n${text}`,
      String(codePage),
    );
  }
});

Deno.test("what is in no code page becomes U+FFFD, and so does NUL", () => {
  assert.equal(decoderOf(1252).decode(new Uint8Array([0x61, 0x81, 0x00, 0xfc])), "a\uFFFD\uFFFDü");
  assert.equal(decoderOf(932).decode(new Uint8Array([0x61, 0x82])), "a\uFFFD");
  // UTF-8, and one that nobody knows: nothing but UTF-8 is read.
  for (const codePage of [65001, 0, 708]) {
    assert.equal(decoderOf(codePage).decode(join(utf8("é\n"), new Uint8Array([0x84]))), "é\n\uFFFD");
  }
});

/** What the spool reads of a file of this content. */
function endsOf(bytes: Uint8Array, limit: number): Ends {
  if (bytes.length <= limit) return { head: bytes, omitted: 0, tail: new Uint8Array() };
  const length = partLength(limit);
  const tail = bytes.subarray(bytes.length - length);
  return { head: bytes.subarray(0, length), omitted: bytes.length - 2 * length, tail };
}

/** Lines in UTF-8, in a code page, and of any bytes. */
function printedIn(codePage: number, alphabet: string): fc.Arbitrary<Uint8Array> {
  const characters = fc.string({ unit: fc.constantFrom(...new Set(alphabet), "x", "\n"), maxLength: 200 });
  const part = fc.oneof(
    characters.map((text) => bytesIn(codePage, `${text}\n`)),
    characters.map((text) => utf8(`${text}\n`)),
    fc.uint8Array({ maxLength: 20 }),
  );
  return fc.array(part, { maxLength: 12 }).map((parts) => join(...parts));
}

const limits = fc.integer({ min: 128, max: 1500 });

for (const [codePage, alphabet] of samples) {
  const decoder = decoderOf(codePage);
  const printed = printedIn(codePage, alphabet);

  Deno.test(`bounded output in code page ${codePage} is text without NUL, never over the limit`, () => {
    fc.assert(fc.property(printed, limits, (bytes, limit) => {
      const output = boundedText(endsOf(bytes, limit), limit, decoder);
      assert.ok(utf8(output).length <= limit, `${utf8(output).length} bytes of ${limit}`);
      assert.ok(output.isWellFormed() && !output.includes("\0"));
    }));
  });

  Deno.test(`output in code page ${codePage} that comes in pieces is that which comes whole`, () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 });
    fc.assert(fc.property(printed, lengths, (bytes, lengths) => {
      const stream = decoder.stream();
      let text = "";
      let position = 0;
      for (const length of [...lengths, bytes.length]) {
        text += stream.push(bytes.subarray(position, position + length));
        position = Math.min(bytes.length, position + length);
      }
      text += stream.end();
      assert.equal(text, decoder.decode(bytes));
      assert.equal(stream.grown, utf8(text).length - bytes.length);
    }));
  });
}

Deno.test("a cut within a character of a code page leaves nothing of it", () => {
  const text = "日本語".repeat(400);
  const bytes = bytesIn(932, text);
  for (const limit of [1024, 1026, 1030]) {
    const length = partLength(limit);
    const output = boundedText(endsOf(bytes, limit), limit, decoderOf(932));
    const [mark, omitted] = /\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/.exec(output)!;
    const [head, tail] = output.split(mark);
    assert.ok(text.startsWith(head) && text.endsWith(tail), output);
    assert.ok(utf8(head).length > length - 3 && utf8(tail).length > length - 3);
    assert.ok(Number(omitted) > 0);
  }
  // An output that only as UTF-8 is longer than the limit.
  const umlauts = "ü".repeat(1000);
  const output = boundedText(endsOf(bytesIn(850, umlauts), 1024), 1024, decoderOf(850));
  const [mark, omitted] = /\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/.exec(output)!;
  assert.equal(utf8(output).length - mark.length + Number(omitted), 2000);
});

Deno.test("a line without an end is told as far as all code pages have it alike", () => {
  const stream = decoderOf(437).stream();
  assert.equal(stream.push(utf8("10 %")), "10 %");
  assert.equal(stream.push(utf8("\r20 %")), "\r20 %");
  assert.equal(stream.push(new Uint8Array([0x20, 0x84])), " ");
  assert.equal(stream.push(utf8("...")), "");
  assert.equal(stream.push(utf8("\rdone")), "ä...\rdone");
  assert.equal(stream.push(utf8(" é")), " ");
  assert.equal(stream.end(), "é");
  // Not kept for ever: it may have no end at all.
  const long = utf8("é".repeat(40_000));
  assert.equal(stream.push(long).length, 40_000);
});

Deno.test("a code page is loaded once, when a line is not UTF-8", async () => {
  let loaded = 0;
  const host = createCodePageText(() => Promise.resolve(codePageOf((loaded++, 850))));
  const read = (bytes: Uint8Array) => host.read(({ decode }) => decode(bytes));
  assert.equal(await read(utf8("ü\n")), "ü\n");
  await host.prepare(utf8("plain"));
  assert.equal(loaded, 0);
  assert.equal(await read(new Uint8Array([0x81])), "ü");
  await host.prepare(new Uint8Array([0x84]));
  assert.equal(host.decoder.decode(new Uint8Array([0x84])), "ä");
  assert.equal(loaded, 1);
  await assert.rejects(
    host.read(() => {
      throw new Deno.errors.NotFound("gone");
    }),
    Deno.errors.NotFound,
  );
});

Deno.test("on Windows the code page is that of a new console, elsewhere there is none", async () => {
  const bytes = new Uint8Array([0x61, 0x81]);
  const text = await hostText.read(({ decode }) => decode(bytes));
  if (Deno.build.os !== "windows") return assert.equal(text, "a\uFFFD");
  const { consoleCodePage } = await import("../../src/worker/host/windows/code_page.ts");
  assert.ok(consoleCodePage() > 0);
  assert.equal(text, codePageOf(consoleCodePage())(bytes));
});

Deno.test("without a code page invalid bytes are U+FFFD", () => {
  assert.equal(utf8Decoder.decode(new Uint8Array([0x61, 0x84, 0x0a, 0xc3])), "a\uFFFD\n\uFFFD");
  assert.equal(utf8Decoder.decode(new Uint8Array([0x61, 0xc3]), "end"), "a");
});
