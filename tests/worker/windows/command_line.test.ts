import assert from "node:assert/strict";
import {
  maxFolderLength,
  maxTextLength,
  type StartOfCommand,
  startOfCommand,
  textProblem,
} from "../../../src/worker/host/windows/command_line.ts";

const system = "C:\\Windows\\System32";
const files = "C:\\a & b\\spool\\7.3";
const there = ["C:\\w\\tool.exe", "C:\\w\\build.cmd", "C:\\w\\100%\\b.bat", "C:\\w\\s.ps1", "C:\\w\\x.py"];
const startOf = (command: string, cwd = "C:\\w") =>
  startOfCommand(command, files, system, {
    cwd,
    env: { PATH: "" },
    isFile: (path) => there.some((file) => file.toLowerCase() === path.toLowerCase()),
  });
const started = (command: string): StartOfCommand => {
  const start = startOf(command);
  assert.ok("line" in start, command);
  return start;
};

Deno.test("the texts of a job are in the environment, not in the line", () => {
  const { line, env, without } = started('echo "a & b" %PATH% !x! > "c:\\out"');
  assert.equal(
    line,
    '"C:\\Windows\\System32\\cmd.exe" /e:on /v:on /d /s /c ' +
      '""C:\\Windows\\System32\\cmd.exe" /e:on /v:off /d /s /c "!QUEUECTL_COMMAND!"' +
      '&>>"!QUEUECTL_FILES!.status" echo exit !errorlevel!"',
  );
  assert.deepEqual(env, { QUEUECTL_COMMAND: 'echo "a & b" %PATH% !x! > "c:\\out"', QUEUECTL_FILES: files });
  assert.deepEqual(without, ["ERRORLEVEL"]);
});

Deno.test("a program is started without another cmd.exe", () => {
  const cases: Array<[string, string, string | undefined]> = [
    ["tool", "C:\\w\\tool.EXE", undefined],
    ['tool.exe /a:"b & c"  d', "C:\\w\\tool.exe", '/a:"b & c"  d'],
    [`-- tool "100%" "say \\"hi\\"" & a\nb`, "C:\\w\\tool.EXE", `"100%" "say \\"hi\\"" & a\nb`],
    ["-- x.py a", "C:\\w\\x.py", "a"],
  ];
  for (const [command, program, args] of cases) {
    const { line, env } = started(command);
    const body = args === undefined
      ? '"!QUEUECTL_PROGRAM!"&>>'
      : '"!QUEUECTL_PROGRAM!" !QUEUECTL_ARGUMENTS!&>>';
    assert.ok(line.includes(`/c "${body}`), line);
    assert.equal(env.QUEUECTL_PROGRAM, program);
    assert.equal(env.QUEUECTL_ARGUMENTS, args);
  }
});

Deno.test("a batch file is read by a cmd.exe that sees nothing but text in its arguments", () => {
  const cases: Array<[string, string]> = [
    ['build a "b c"', `"C:\\w\\build.CMD" a "b c"`],
    ["build", `"C:\\w\\build.CMD"`],
    ['-- build.cmd a "100%" "x=1" ""', `"C:\\w\\build.cmd" a "100%%cd:~,%" "x=1" ""`],
    [`-- build.cmd "\\" & calc & \\""`, `"C:\\w\\build.cmd" """ & calc & """`],
    [`-- build.cmd c\\ %A%`, `"C:\\w\\build.cmd" "c\\\\" "%%cd:~,%A%%cd:~,%"`],
    [`-- "100%/b" a`, `"C:\\w\\100%%cd:~,%\\b.BAT" a`],
  ];
  for (const [command, text] of cases) assert.equal(started(command).env.QUEUECTL_COMMAND, text, command);
});

Deno.test("a PowerShell script is started by Windows' own PowerShell", () => {
  const { env } = started('s.ps1 a "b c"');
  assert.equal(env.QUEUECTL_PROGRAM, `${system}\\WindowsPowerShell\\v1.0\\powershell.exe`);
  assert.equal(env.QUEUECTL_ARGUMENTS, '-NoProfile -NonInteractive -File C:\\w\\s.ps1 a "b c"');
});

Deno.test("what is not found is left to cmd.exe, unless a program is meant", () => {
  assert.equal(started("nonexistent_command a").env.QUEUECTL_COMMAND, "nonexistent_command a");
  assert.deepEqual(startOf("-- nonexistent a"), {
    problem: 'There is no program "nonexistent" in C:\\w or PATH',
  });
});

Deno.test("a text that can be started nowhere is known without a look at any file", () => {
  for (const text of ["echo a", "echo a\r\n", '-- tool "a\nb"', "a".repeat(maxTextLength)]) {
    assert.equal(textProblem(text), undefined, text.slice(0, 20));
  }
  assert.match(textProblem("echo a\necho b")!, /^cmd\.exe takes one line only/);
  for (const text of ["a".repeat(maxTextLength + 1), "-- tool " + "a".repeat(maxTextLength)]) {
    assert.match(textProblem(text)!, /characters on Windows/);
  }
});

Deno.test("what cmd.exe would change or cut is refused with the reason", () => {
  const cases: Array<[string, RegExp]> = [
    ["echo a\necho b", /^cmd\.exe takes one line only: .*batch file$/],
    ["echo a\rb", /one line only/],
    ["echo " + "a".repeat(maxTextLength), new RegExp(`has ${maxTextLength + 5} characters`)],
    ["-- tool " + "a".repeat(maxTextLength), /write it into a batch file, or its arguments into a file$/],
    [
      `-- build.cmd "a\nb"`,
      /^The batch file C:\\w\\build\.cmd cannot be given an argument with a line break$/,
    ],
    // Each of these is eight characters for cmd.exe.
    ["-- build.cmd " + "%".repeat(1100), /has 8\d\d\d characters/],
  ];
  for (const [command, message] of cases) {
    const start = startOf(command);
    assert.ok("problem" in start, command.slice(0, 40));
    assert.match(start.problem, message);
  }
  for (const cwd of ["\\\\server\\share", "//server/share"]) {
    const start = startOf("echo a", cwd);
    assert.ok(
      "problem" in start && start.problem.startsWith("cmd.exe cannot run in the network folder"),
      cwd,
    );
  }
  const longest = "C:\\".padEnd(maxFolderLength, "f");
  assert.ok("line" in startOf("echo a", longest));
  const tooLong = startOf("echo a", `${longest}f`);
  assert.ok(
    "problem" in tooLong && tooLong.problem.includes(" has 259 characters on Windows, 258 is the most: C:"),
  );
  // At the end it is nothing.
  assert.equal(started("echo a\r\n").env.QUEUECTL_COMMAND, "echo a");
});
