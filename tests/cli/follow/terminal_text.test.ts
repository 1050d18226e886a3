import assert from "node:assert/strict";
import fc from "fast-check";
import { createTerminalText, isLineOpen } from "../../../src/cli/follow/terminal_text.ts";

const all = { colours: true, erasing: true };
const green = "\x1b[32m";
const reset = "\x1b[0m";

Deno.test("colours and lines drawn again reach a terminal, and nothing else that it obeys", () => {
  const cases: Array<[pieces: string[], shown: string[]]> = [
    [["a\tb\r\n"], ["a\tb\r\n"]],
    [["10 %\r", "20 %\r\n"], ["10 %\r", "20 %\r\n"]],
    [[`${green}ok${reset}\n`], [`${green}ok${reset}\n`]],
    [["\x1b[1;38:5:208mx\x1b[m"], ["\x1b[1;38:5:208mx\x1b[m"]],
    [["\r\x1b[K50 %\x1b[2K"], ["\r\x1b[K50 %\x1b[2K"]],
    [["\x1b[2J\x1b[H\x1b[1A\x1bc\x07\b\x9b31m"], ["\\x1b[2J\\x1b[H\\x1b[1A\\x1bc\\x07\\x08\\x9b31m"]],
    [["\x1b]0;title\x07\x1b]52;c;AAAA\x1b\\"], ["\\x1b]0;title\\x07\\x1b]52;c;AAAA\\x1b\\"]],
    [["\x1b[?25l\x1b[>4m\x1b[3Kx\u202e"], ["\\x1b[?25l\\x1b[>4m\\x1b[3Kx\\u202e"]],
    [[`\x1b[${"1;".repeat(40)}mx`], [`\\x1b[${"1;".repeat(40)}mx`]],
    // Sequences come in pieces.
    [["a\x1b", "[3", `2mb`], ["a", "", `${green}b${reset}`]],
    [["a\x1b[3", "Jb"], ["a", "\\x1b[3Jb"]],
    // What is open is closed behind each piece, and opened again.
    [[`${green}a\n`, "b\n", `c${reset}d`, "e"], [
      `${green}a\n${reset}`,
      `${green}b\n${reset}`,
      `${green}c${reset}d`,
      "e",
    ]],
    [["\x1b[1m\x1b[0;32ma", "b"], ["\x1b[1m\x1b[0;32ma\x1b[0m", "\x1b[0;32mb\x1b[0m"]],
  ];
  for (const [pieces, shown] of cases) {
    const take = createTerminalText(all);
    assert.deepEqual(pieces.map((piece) => take(piece)), shown, JSON.stringify(pieces));
  }
});

Deno.test("without colours, or without erasing, those sequences are left out", () => {
  const text = `${green}ok${reset}\x1b[K\x1b[2J\r`;
  assert.equal(createTerminalText({ ...all, colours: false })(text), "ok\x1b[K\\x1b[2J\r");
  assert.equal(createTerminalText({ ...all, erasing: false })(text), `${green}ok${reset}\\x1b[2J\r`);
});

Deno.test("whatever is printed in whatever pieces, a terminal is given nothing else, and left without colour", () => {
  const unit = fc.constantFrom("\x1b", "[", "3", ";", "m", "K", "J", "\r", "\n", "x", "]", "\x07", "\x9b");
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const [sequences, obeyed] = [/\x1b\[(?:[\d;:]*m|[012]?K)/g, /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/];
  fc.assert(fc.property(fc.array(fc.array(unit).map((units) => units.join(""))), (pieces) => {
    const take = createTerminalText(all);
    for (const piece of pieces) {
      const shown = take(piece);
      assert.doesNotMatch(shown.replace(sequences, ""), obeyed);
      const last = shown.match(sequences)?.findLast((sequence) => sequence.endsWith("m"));
      assert.ok(last === undefined || ["\x1b[m", reset].includes(last), JSON.stringify([piece, shown]));
    }
  }));
});

Deno.test("a line is open that has text behind its last end", () => {
  const cases: Array<[piece: string, before: boolean, open: boolean]> = [
    ["a", false, true],
    ["a\n", true, false],
    ["a\r", false, true],
    [`a\n${reset}`, true, false],
    [reset, true, true],
    [reset, false, false],
    ["", true, true],
  ];
  for (const [piece, before, open] of cases) assert.equal(isLineOpen(piece, before), open);
});
