import assert from "node:assert/strict";
import { runProgram } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test({
  name: "on Windows, a command that cannot be started there is stored with a warning, in one line",
  ignore: Deno.build.os !== "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const enqueue = (text: string) => runProgram(["enqueue", "--print-id", text], { cwd: folder.path });
    assert.equal((await enqueue("echo a")).stderr.includes("fails"), false);
    for (const text of ["echo a\necho b", JSON.stringify({ command: "echo a\necho b" })]) {
      const { code, stderr } = await enqueue(text);
      assert.equal(code, 0);
      assert.match(stderr, /^The command fails on this host: cmd\.exe takes one line only: .*\r?\n$/);
    }
  },
});
