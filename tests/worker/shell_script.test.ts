import assert from "node:assert/strict";
import fc from "fast-check";
import { quote } from "../../src/job/shell_words.ts";
import { answerIn, runnerScript } from "../../src/worker/run/shell_script.ts";

const posix = { ignore: Deno.build.os === "windows" };

/** What a shell prints for these lines. */
async function shell(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null" }).output();
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout);
}

Deno.test("any text that is quoted comes through a shell unchanged", posix, async () => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({
        unit: fc.constantFrom("'", '"', "\\", "$", "`", "!", "\n", "\r", " ", "*", "a", "\x1b", "é"),
      }),
    ).filter((text) => !text.includes("\0") && !text.includes("\x01")),
    { minLength: 100, maxLength: 300 },
  );
  await fc.assert(
    fc.asyncProperty(texts, async (texts) => {
      // Between two marks, so that newlines at the end are seen; many at once, because a shell takes a while.
      const printed = await shell(`printf '%s\\001' ${texts.map(quote).join(" ")}`);
      assert.deepEqual(printed.split("\x01").slice(0, -1), texts);
    }),
    { numRuns: 5 },
  );
});

const traits = { forks: true, hasFunctions: false, lostVariables: [] };
const spec = { command: "echo hi", files: "/s/7.3", cwd: null, env: { A: "1" } };

Deno.test("a command that asks for the shell's own pid gets a shell of its own", () => {
  const hasOwnShell = (command: string, forks = true) =>
    /\nexec \/bin\/sh -c /.test(
      runnerScript({ ...spec, command }, "started", { ...traits, forks }, "word"),
    );
  for (const command of ["echo $$", "kill ${$}", ". ./file", "true; source file", "(. file)", "a\n. b"]) {
    assert.ok(hasOwnShell(command), command);
  }
  for (const command of ["echo hi", "ls .", "./run", "echo $1 $?", "cat source.txt", "cd ..", "echo a.b"]) {
    assert.ok(!hasOwnShell(command), command);
    assert.ok(hasOwnShell(command, false), "a shell whose subshells are no processes");
  }
});

Deno.test("a command in which a shell has nothing to do takes the place of its shell", () => {
  const isReplaced = (command: string, hasFunctions = false) =>
    runnerScript({ ...spec, command }, "started", { ...traits, hasFunctions }, "word").includes(
      `&& exec ${command}\n`,
    );
  for (
    const command of [
      "ls -l /tmp",
      "./run",
      "/usr/bin/env A=1 b",
      "python3 x.py --size=3 a@b:c,d%",
      "ls 'a b' '$C'",
      "'my ls' a",
    ]
  ) {
    assert.ok(isReplaced(command), command);
    assert.ok(!isReplaced(command, true), "bash may have a function of that name");
  }
  const syntax = [
    "ls; ls",
    "ls &",
    "ls | cat",
    "ls >a",
    "ls $A",
    "ls *",
    "ls ~",
    "ls 'a'b",
    'ls "a"',
    "A=1 ls",
    "ls\nls",
    "ls #a",
  ];
  const builtIn = [
    "true",
    "echo hi",
    "cd /",
    "exit 3",
    "exec ls",
    "kill 1",
    "if a",
    ".",
    ":",
    "time ls",
    "!",
    "-x",
  ];
  for (const command of [...syntax, ...builtIn, "", " ls", "{ ls", "\\ls", "ls\\", "ls\tls"]) {
    assert.ok(!isReplaced(command), command);
  }
});

Deno.test("a word that is quoted although the shell knows it is the program of that name, whatever the shell", () => {
  for (const [forks, hasFunctions] of [[true, false], [true, true], [false, false]]) {
    const script = runnerScript(
      { ...spec, command: "'echo' '$$' . x" },
      "started",
      { ...traits, forks, hasFunctions },
      "word",
    );
    assert.ok(script.includes("\nexec 'echo' '$$' . x\n"), script);
  }
});

Deno.test("only a folder that is given is changed to", () => {
  assert.doesNotMatch(runnerScript(spec, "started", traits, "word"), /\bcd /);
  assert.match(
    runnerScript({ ...spec, cwd: "/it's" }, "started", traits, "word"),
    /^cd '\/it'\\''s' \|\| exit 126$/m,
  );
});

Deno.test("an answer is what stands behind its word, whatever a command has written before it", () => {
  assert.deepEqual(answerIn("a-b exit 3 printed", "a-b"), ["exit", "3", "printed"]);
  assert.deepEqual(answerIn("exit 0 silent\tea-b refused", "a-b"), ["refused"]);
  for (const line of ["", "exit 0 silent", "a-c exit 0 silent", "a-b", "refused"]) {
    assert.equal(answerIn(line, "a-b"), undefined, line);
  }
});
