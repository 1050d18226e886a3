import assert from "node:assert/strict";
import fc from "fast-check";
import {
  argumentsOf,
  quoteArgument,
  windowsCommandOfWords,
  windowsProgramOf,
} from "../../src/job/windows_words.ts";

Deno.test("a list of arguments is a command for cmd.exe where that changes nothing, else one without it", () => {
  const cases: Array<[string[], string]> = [
    [["ping", "-n", "3", "localhost"], "ping -n 3 localhost"],
    [["make", "-j4", "C:\\a\\b.c"], "make -j4 C:\\a\\b.c"],
    [["C:\\Program Files\\x.exe", "a & b", "", "c\\"], `"C:\\Program Files\\x.exe" "a & b" "" c\\`],
    [["x", "a b\\\\"], `x "a b\\\\\\\\"`],
    [["x", "^", "(", "!", "a=b", "é"], `x "^" "(" "!" "a=b" "é"`],
    [["x", "100%"], `-- x "100%"`],
    [["x", 'say "hi"'], `-- x "say \\"hi\\""`],
    [["x", "a\nb"], `-- x "a\nb"`],
    [["100%.exe", "a"], `-- "100%.exe" a`],
    [["{", "x"], `"{" x`],
    // The very program of that name, and not what cmd.exe makes of it.
    [["echo.exe", "a"], "-- echo.exe a"],
    [["echo", "a", "b c"], `echo a "b c"`],
    [["MKLINK", "/D", "a", "b"], "MKLINK /D a b"],
  ];
  for (const [words, command] of cases) assert.equal(windowsCommandOfWords(words), command);
});

Deno.test("words that nothing can be given to are refused", () => {
  const cases: Array<[string[], RegExp]> = [
    [["echo", "100%"], /^"echo" is a command of cmd\.exe, which cannot be given "100%" as it is: /],
    [["Copy", "a", 'b"'], /^"Copy" is a command of cmd\.exe/],
    [["echo", "a\nb"], /cannot be given "a\\nb"/],
    [['a"b'], /^No program is called "a\\"b"$/],
  ];
  for (const [words, message] of cases) {
    assert.throws(() => windowsCommandOfWords(words), { code: "usage", message });
  }
});

Deno.test("the program of a command in which cmd.exe has nothing to do is found", () => {
  const cases: Array<[string, string, string]> = [
    ["ping -n 3 localhost", "ping", "-n 3 localhost"],
    ["whoami", "whoami", ""],
    [".\\tool.exe  a", ".\\tool.exe", "a"],
    ["./tool a", "./tool", "a"],
    [`"C:\\Program Files\\x.exe" /D:"a & b" c`, "C:\\Program Files\\x.exe", `/D:"a & b" c`],
    [`"echo" a`, "echo", "a"],
    ["dir-all x", "dir-all", "x"],
  ];
  for (const [command, program, args] of cases) {
    assert.deepEqual(windowsProgramOf(command), { program, args, isMarked: false }, command);
  }
  const others = [
    "echo hi",
    "ECHO hi",
    "echo.",
    "cd..",
    "cd\\a",
    "dir/w",
    "d:",
    "x %PATH%",
    `x "%PATH%"`,
    "x & y",
    "x > f",
    "x ^a",
    "x | y",
    "(x)",
    "@x",
    `x "a`,
    `"x"y`,
    "x\ty",
    "x\ny",
    "x;y",
    " x",
    "",
  ];
  for (const command of others) assert.equal(windowsProgramOf(command), null, command);
});

Deno.test("behind -- the program is meant, and its arguments are as they are written", () => {
  const cases: Array<[string, string, string]> = [
    ["-- x", "x", ""],
    ["--  x  a  b ", "x", "a  b "],
    [`-- "a b" "100%" & c`, "a b", `"100%" & c`],
    [`-- a" "b.exe\tc`, "a b.exe", "c"],
    ["-- echo %A%", "echo", "%A%"],
    ["-- x a\nb", "x", "a\nb"],
    ["-- ", "", ""],
  ];
  for (const [command, program, args] of cases) {
    assert.deepEqual(windowsProgramOf(command), { program, args, isMarked: true }, command);
  }
  for (const command of ["--x", "--", "---- x"]) assert.notEqual(windowsProgramOf(command)?.isMarked, true);
});

// The table of learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments.
Deno.test("arguments are read as the C runtime reads them", () => {
  const cases: Array<[string, string[]]> = [
    [`"abc" d e`, ["abc", "d", "e"]],
    [String.raw`a\\\b d"e f"g h`, [String.raw`a\\\b`, "de fg", "h"]],
    [String.raw`a\\\"b c d`, [String.raw`a\"b`, "c", "d"]],
    [String.raw`a\\\\"b c" d e`, [String.raw`a\\b c`, "d", "e"]],
    [`a"b"" c d`, [`ab" c d`]],
    [` a \t b `, ["a", "b"]],
    [`"" a ""`, ["", "a", ""]],
    [`a\\`, ["a\\"]],
    ["", []],
  ];
  for (const [text, words] of cases) assert.deepEqual(argumentsOf(text), words, text);
});

Deno.test("every list comes back as it was, program and arguments", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom('"', "\\", " ", "\t", "%", "^", "&", "!", "\n", "'", "a", "é") }),
  );
  const program = word.filter((text) => text.trim() !== "" && !text.startsWith("-") && !text.includes('"'));
  fc.assert(
    fc.property(program, fc.array(word), (program, rest) => {
      let command;
      try {
        command = windowsCommandOfWords([program, ...rest]);
      } catch {
        return; // A command of cmd.exe, with words that it would change.
      }
      const found = windowsProgramOf(command);
      if (!found) return;
      assert.equal(found.program, program);
      assert.deepEqual(argumentsOf(found.args), rest);
    }),
  );
});

Deno.test("a word is quoted only where somebody would do something to it", () => {
  for (const word of ["a", "C:\\a\\", "-x", "/c", "a@b"]) assert.equal(quoteArgument(word), word);
  for (const word of ["", " ", "a;b", "a=b", "*", "~"]) assert.equal(quoteArgument(word), `"${word}"`);
});
