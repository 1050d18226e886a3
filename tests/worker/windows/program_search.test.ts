import assert from "node:assert/strict";
import { findProgram } from "../../../src/worker/host/windows/program_search.ts";

const there = [
  "C:\\work\\build.cmd",
  "C:\\work\\own.exe",
  "C:\\work\\sub\\tool.exe",
  "C:\\work\\plain",
  "C:\\bin\\own.exe",
  "C:\\bin\\two.com",
  "C:\\bin\\two.exe",
  "C:\\bin\\v1.2.exe",
  "C:\\my tools\\x.py",
  "D:\\e.exe",
  "\\\\server\\share\\s.exe",
  "C:\\work\\bin\\near.exe",
];
const folders = 'C:\\nothing;"C:\\my tools";C:/bin;;bin';
const find = (word: string, env: Record<string, string> = {}, cwd = "C:\\work") =>
  findProgram(word, {
    cwd,
    env: { Path: folders, ...env },
    isFile: (path) => there.some((file) => file.toLowerCase() === path.replaceAll("/", "\\").toLowerCase()),
  })?.replaceAll("/", "\\") ?? null;

Deno.test("a program is found where cmd.exe finds it", () => {
  const cases: Array<[string, string | null]> = [
    ["own", "C:\\work\\own.EXE"],
    ["build", "C:\\work\\build.CMD"],
    ["BUILD.CMD", "C:\\work\\BUILD.CMD"],
    ["two", "C:\\bin\\two.COM"],
    ["two.exe", "C:\\bin\\two.exe"],
    ["v1.2", "C:\\bin\\v1.2.EXE"],
    ["near", "C:\\work\\bin\\near.EXE"],
    ["x.py", "C:\\my tools\\x.py"],
    ["x", null],
    ["plain", null],
    ["sub/tool", "C:\\work\\sub\\tool.EXE"],
    [".\\sub\\tool.exe", null], // The list above has no such spelling: nothing is put together here.
    ["\\work\\own", "C:\\work\\own.EXE"],
    ["D:\\e", "D:\\e.EXE"],
    ["D:e", null],
    ["\\\\server\\share\\s.exe", "\\\\server\\share\\s.exe"],
    ["sub\\own", null],
    // Windows leaves these off, so they must not hide a batch file.
    ["build.cmd. .", "C:\\work\\build.cmd"],
    ["build.cmd::$DATA", null],
    ["*", null],
    ["", null],
    ["..", null],
  ];
  for (const [word, path] of cases) assert.equal(find(word), path, word);
});

Deno.test("the variables that say where to look are those of the command, in any case", () => {
  assert.equal(find("own", { nodefaultcurrentdirectoryinexepath: "1" }), "C:\\bin\\own.EXE");
  assert.equal(find("x", { PathExt: ".PY;." }), "C:\\my tools\\x.PY");
  assert.equal(find("two", { PATHEXT: ".EXE;.COM" }), "C:\\bin\\two.EXE");
  assert.equal(findProgram("own", { cwd: "C:\\", env: {}, isFile: () => false }), null);
  assert.equal(find("e", {}, "D:\\"), "D:\\e.EXE");
});
