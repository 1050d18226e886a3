import assert from "node:assert/strict";
import { longPath } from "../../../src/worker/host/windows/long_path.ts";

const long = "a".repeat(250);

Deno.test("windows: only a path that comes near the old limit gets another form", () => {
  for (
    const [path, expected] of [
      ["C:\\queue.db.spool/1.1", "C:\\queue.db.spool\\1.1"],
      [`C:\\${long}/1.1`, `\\\\?\\C:\\${long}\\1.1`],
      [`\\\\server\\share\\${long}`, `\\\\?\\UNC\\server\\share\\${long}`],
      [`\\\\?\\C:\\${long}`, `\\\\?\\C:\\${long}`],
    ]
  ) assert.equal(longPath(path), expected);
});
