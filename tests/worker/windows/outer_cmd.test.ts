/** What real programs get, and what the status file says, of the lines of command_line.ts. Runs on Windows alone. */

import assert from "node:assert/strict";
import { windowsCommandOfWords } from "../../../src/job/windows_words.ts";
import { startOfCommand } from "../../../src/worker/host/windows/command_line.ts";
import { systemFolder } from "../../../src/worker/host/windows/libraries.ts";
import { isFile } from "../../../src/worker/host/windows/program_search.ts";

const windows = { ignore: Deno.build.os !== "windows" };

/** A folder with a name that a shell would stumble over, removed in the end. */
function temporaryFolder(): { path: string } & Disposable {
  const root = Deno.makeTempDirSync({ prefix: "queuectl-" });
  const path = `${root}\\a & (1) 100%PATH% é!x!^`;
  Deno.mkdirSync(path);
  return { path, [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }) };
}

interface Ran {
  output: string;
  errors: string;
  /** What the status file says. */
  status: string;
}

/** Runs a command as a worker does, with pipes in the place of its files. */
async function run(command: string, cwd: string, added: Record<string, string> = {}): Promise<Ran> {
  const inherited = Object.entries({ ...Deno.env.toObject(), ...added });
  const files = `${cwd}\\7.3`;
  const start = startOfCommand(command, files, systemFolder(), {
    cwd,
    env: Object.fromEntries(inherited),
    isFile,
  });
  if (!("line" in start)) throw new Error(start.problem);
  const env = inherited.filter(([name]) => !start.without.includes(name.toUpperCase()));
  // Deno writes the program itself, as the line has it.
  const [, program, args] = /^"([^"]+)" (.*)$/s.exec(start.line)!;
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [args],
    windowsRawArguments: true,
    clearEnv: true,
    env: { ...Object.fromEntries(env), ...start.env },
    cwd,
    stdin: "null",
  }).output();
  const status = Deno.readTextFileSync(`${files}.status`);
  Deno.removeSync(`${files}.status`);
  const text = new TextDecoder();
  return { output: text.decode(stdout), errors: text.decode(stderr), status };
}

const nasty = [
  ...["a b", "", "\t", " ", "100%", "%PATH%", "%OS%", "%", "%%", "^", "^^a", "a&b", "a|b", "<a", ">a", "!"],
  ...[
    "!PATH!",
    "^!x^!",
    "(",
    ")",
    "'",
    "''",
    "a\\",
    "a b\\",
    "a b\\\\",
    'a\\\\"b',
    '"',
    '""',
    'a "b" c',
    '"a" & b',
  ],
  ...[
    "&calc&",
    '" & echo x & "',
    "é€ß",
    "日本",
    "😀",
    "a\nb",
    "a\r\nb\n",
    ";,=",
    "*",
    "?",
    "/c",
    "-x",
    "@",
    "~",
    "$x",
  ],
  ...[
    "!QUEUECTL_FILES!",
    "%QUEUECTL_FILES%",
    "\\\\server\\share\\",
    "#",
    "`",
    "{}",
    "[a]",
    "a=b",
    "--",
    "--%",
  ],
];

Deno.test("a program gets the very words of its list", windows, async () => {
  using folder = temporaryFolder();
  Deno.writeTextFileSync(
    `${folder.path}\\print.js`,
    "console.log(JSON.stringify(Deno.args)); Deno.exit(300);",
  );
  const program = [Deno.execPath(), "run", "--quiet", "print.js"];
  for (const words of [nasty, nasty.toReversed(), [], ['"']]) {
    const { output, errors, status } = await run(windowsCommandOfWords([...program, ...words]), folder.path);
    assert.deepEqual([JSON.parse(output || "null"), errors, status], [words, "", "exit 300\r\n"]);
  }
});

Deno.test("a batch file gets words in which nothing starts a command", windows, async () => {
  using folder = temporaryFolder();
  Deno.writeTextFileSync(`${folder.path}\\print.js`, "console.log(JSON.stringify(Deno.args));");
  // It passes its arguments on, as most batch files do that stand for a program.
  Deno.writeTextFileSync(
    `${folder.path}\\pass & on.cmd`,
    `@"${Deno.execPath()}" run --quiet print.js %*\r\n@exit /b 7\r\n`,
  );
  const words = nasty.filter((word) => !/[\r\n]/.test(word));
  const { output, errors, status } = await run(
    windowsCommandOfWords([".\\pass & on", ...words]),
    folder.path,
  );
  assert.deepEqual([JSON.parse(output || "null"), errors, status], [words, "", "exit 7\r\n"]);
});

Deno.test("the status file has the exit status of a command, exactly", windows, async () => {
  using folder = temporaryFolder();
  const cases: Array<[string, string]> = [
    ["echo hello", "0"],
    ["exit 3", "3"],
    ["exit -1", "-1"],
    ["exit 300", "300"],
    ["exit -1073741819", "-1073741819"],
    ["echo a& exit 2", "2"],
    ["cmd /c exit 5", "5"],
    ["set ERRORLEVEL=7& exit 4", "4"],
    ["-- cmd /c exit 9", "9"],
  ];
  for (const [command, status] of cases) {
    assert.equal(
      (await run(command, folder.path, { ErrorLevel: "0" })).status,
      `exit ${status}\r\n`,
      command,
    );
  }
  for (const command of ["nonexistent_command a", "echo (& ("]) {
    const { status, errors } = await run(command, folder.path);
    assert.notEqual(status, "exit 0\r\n", command);
    assert.notEqual(errors, "", command);
  }
});

Deno.test("cmd.exe gets the text of a command, and adds nothing to its output", windows, async () => {
  using folder = temporaryFolder();
  const cases: Array<[string, string]> = [
    ["echo hello", "hello\r\n"],
    ["echo !PATH! ^& 100% %NO_SUCH%", "!PATH! & 100% %NO_SUCH%\r\n"],
    ['echo "a & b"&echo %GIVEN%', '"a & b"\r\nc d\r\n'],
    ["echo a>f& type f", "a\r\n"],
    ["echo " + "a".repeat(7990), "a".repeat(7990) + "\r\n"],
  ];
  for (const [command, output] of cases) {
    const ran = await run(command, folder.path, { GIVEN: "c d" });
    assert.deepEqual([ran.output, ran.errors, ran.status], [output, "", "exit 0\r\n"], command.slice(0, 60));
  }
});
