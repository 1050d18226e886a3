/** Absolute paths: the same as those of node:path. */

import assert from "node:assert/strict";
import { posix, resolve } from "node:path";
import fc from "fast-check";
import { absolutePosixPath, pathResolver } from "../src/absolute_path.ts";

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
