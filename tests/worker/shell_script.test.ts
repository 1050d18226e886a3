import assert from "node:assert/strict";
import fc from "fast-check";
import { quote } from "../../src/job/shell_words.ts";
import { runnerScript, windowsInvocation } from "../../src/worker/shell_script.ts";

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

const traits = { forks: true, hasFunctions: false };
const spec = { command: "echo hi", files: "/s/7.3", cwd: null, env: { A: "1" } };

Deno.test("a command that asks for the shell's own pid gets a shell of its own", () => {
  const hasOwnShell = (command: string, forks = true) =>
    /\nexec \/bin\/sh -c /.test(
      runnerScript({ ...spec, command }, "started", { forks, hasFunctions: false }),
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
    runnerScript({ ...spec, command }, "started", { forks: true, hasFunctions }).includes(
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
    const script = runnerScript({ ...spec, command: "'echo' '$$' . x" }, "started", { forks, hasFunctions });
    assert.ok(script.includes("\nexec 'echo' '$$' . x\n"), script);
  }
});

Deno.test("only a folder that is given is changed to", () => {
  assert.doesNotMatch(runnerScript(spec, "started", traits), /\bcd /);
  assert.match(
    runnerScript({ ...spec, cwd: "/it's" }, "started", traits),
    /^cd '\/it'\\''s' \|\| exit 126$/m,
  );
});

Deno.test("windows: the texts of a job are in the environment, not in the command line", () => {
  const command = 'echo "a & b" %PATH% !x! > "c:\\out"';
  const files = "C:\\a & b\\spool\\7.3";
  const invocation = windowsInvocation({ command, files, cwd: "C:\\", env: { A: "1" } });
  assert.equal(invocation.command, "cmd.exe");
  assert.deepEqual(invocation.args.slice(0, 4), ["/v:on", "/d", "/s", "/c"]);
  assert.equal(invocation.args.length, 5);
  const line = invocation.args[4];
  assert.ok(!line.includes("a & b") && !line.includes("%PATH%"));
  for (
    const part of [
      "!QUEUECTL_COMMAND!",
      '<nul >>"!QUEUECTL_FILES!.out" 2>>"!QUEUECTL_FILES!.err"',
      "!errorlevel!",
    ]
  ) {
    assert.ok(line.includes(part), part);
  }
  // With /s, the first and the last quote are taken off and the rest is as it stands.
  assert.ok(line.startsWith('"') && line.endsWith('"'));
  assert.deepEqual(invocation.env, { A: "1", QUEUECTL_COMMAND: command, QUEUECTL_FILES: files });
});
