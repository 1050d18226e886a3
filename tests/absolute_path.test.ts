/** Absolute paths: the same as those of node:path. */

import assert from "node:assert/strict";
import { posix, resolve } from "node:path";
import fc from "fast-check";
import { posixOnly } from "./helpers/left_out.ts";
import { temporaryFolder } from "./helpers/temporary_folder.ts";
import { absolutePosixPath, pathResolver } from "../src/base/absolute_path.ts";

Deno.test("a POSIX path becomes absolute as node:path does it", () => {
  const part = fc.constantFrom("", ".", "..", "a", "b c", "...", ".hidden", "ü");
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, path, (path, folder) => {
      const absolute = posix.resolve("/", folder);
      assert.equal(absolutePosixPath(path, absolute), posix.resolve(absolute, path));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("paths are made absolute from the current folder", async () => {
  const absolute = await pathResolver();
  for (const path of ["queuectl.db", "../a/./b", ".", Deno.execPath()]) {
    assert.equal(absolute(path), resolve(path));
  }
});

Deno.test("a current folder that was removed is told, and absolute paths need none", {
  ignore: posixOnly("a folder in which a process is cannot be removed"),
}, async () => {
  await using folder = await temporaryFolder();
  const code = `
    import { pathResolver } from "${import.meta.resolve("../src/base/absolute_path.ts")}";
    const absolute = await pathResolver();
    Deno.removeSync(Deno.cwd());
    console.log(absolute("/a/../b"));
    try {
      absolute("b");
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const cwd = `${folder.path}/gone`;
  Deno.mkdirSync(cwd);
  // The current folder belongs to the whole test run, so another process is asked.
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-lock", code], cwd })
    .output();
  assert.equal(
    new TextDecoder().decode(stdout),
    '/b\nusage The current folder is not there any more; give the whole path of "b"\n',
  );
});
