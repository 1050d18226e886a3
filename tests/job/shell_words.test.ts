import assert from "node:assert/strict";
import fc from "fast-check";
import { windowsCommandOfWords } from "../../src/job/windows_words.ts";
import { commandOfWords, programOf, quote } from "../../src/job/shell_words.ts";

Deno.test("a list of arguments is one command, quoted where a shell would do something", () => {
  const cases: Array<[string[], string]> = [
    [["make", "-j4", "CC=gcc", "a/b.c"], "make -j4 CC=gcc a/b.c"],
    [["lame", "a b.wav", "it's", ""], `lame 'a b.wav' 'it'\\''s' ''`],
    [
      ["ls", "*", "~", "$HOME", "`id`", "a;b", "#c", "{x,y}", "\\"],
      "ls '*' '~' '$HOME' '`id`' 'a;b' '#c' '{x,y}' '\\'",
    ],
    [["printf", "%s\n"], "'printf' '%s\n'"],
    [["echo", "hi"], "'echo' hi"],
    [["A=1", "b"], "'A=1' b"],
    [["time", "ls"], "'time' ls"],
    [["./my prog"], "'./my prog'"],
    [["é"], "'é'"],
  ];
  for (const [words, command] of cases) assert.equal(commandOfWords(words), command);
});

Deno.test("a list without a program is refused", () => {
  for (const commandOf of [commandOfWords, windowsCommandOfWords]) {
    for (const words of [[], [""], [" "], ["", "a"]]) {
      assert.throws(() => commandOf(words), { code: "usage", message: /^The command is empty/ });
    }
    assert.throws(() => commandOf(["--id", "a"]), { code: "usage", message: /^No program is called "--id"/ });
  }
});

Deno.test("programOf finds the program of a command that is nothing but words", () => {
  const cases: Array<[string, string, boolean]> = [
    ["ls -l /tmp", "ls", false],
    ["ls 'a b' ''", "ls", false],
    ["'my prog' a", "'my prog'", false],
    [`'it'\\''s' a`, `'it'\\''s'`, false],
    ["'echo' hi", "'echo'", true],
    ["'time' ls", "'time'", true],
    ["ls 'a\nb'", "ls", false],
    ["sleep 1", "sleep", false],
    ["'sleep' 1", "'sleep'", true],
  ];
  for (const [command, word, isCertain] of cases) {
    assert.deepEqual(programOf(command), { word, isCertain }, command);
  }
  const others = [
    "echo hi",
    "ls 'a",
    "ls 'a'b",
    `ls "a"`,
    "ls 'a'; id",
    "ls 'a' $B",
    "A=1 ls",
    "'a'\nb",
    "",
    "ls \\'a'b'",
  ];
  for (const command of others) assert.equal(programOf(command), null, command);
});

const posix = { ignore: Deno.build.os === "windows" };

Deno.test(
  "a shell gives a program the very words of its list, and a worker knows the list again",
  posix,
  async () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({
        unit: fc.constantFrom("'", '"', "\\", "$", "`", "!", "\n", " ", "*", "a", "=", "-", "~", "{", "é"),
      }),
      fc.constantFrom("if", "echo", "", "--", "a=b"),
    ).filter((text) => !text.includes("\0") && !text.includes("\x01"));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 20, maxLength: 60 }), async (words) => {
        const command = commandOfWords(["/usr/bin/printf", "%s\\001", ...words]);
        const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", command], stdin: "null" })
          .output();
        const printed = new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout);
        assert.deepEqual(printed.split("\x01").slice(0, -1), words);
        for (const program of words.filter((word) => word.trim() !== "" && !word.startsWith("-"))) {
          const found = programOf(commandOfWords([program, ...words]))!;
          assert.ok(found.word === program || found.word === quote(program), program);
        }
      }),
      { numRuns: 20 },
    );
  },
);
