/** What holds for the executable alone. */

import assert from "node:assert/strict";
import { runProgram } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test({
  name: "the executable keeps no code in the temporary folder, which all users share",
  ignore: !Deno.env.has("QUEUECTL_TEST_PROGRAM") || Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const temporary = `${folder.path}/temporary`;
    Deno.mkdirSync(temporary);
    // A cache would be written at the end of the first start, and read at the second.
    for (const args of [["list"], ["enqueue", "true"], ["list"]]) {
      const { code } = await runProgram(args, { cwd: folder.path, env: { TMPDIR: temporary } });
      assert.equal(code, 0);
    }
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
  },
});
