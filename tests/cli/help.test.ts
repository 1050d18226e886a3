/**
 * The help of all commands, read as a whole: lines that fit, examples, --json everywhere, and no flag that the reference
 * does not have.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runProgram } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const reference = await Deno.readTextFile(
  fileURLToPath(import.meta.resolve("../../.github/REFERENCE.md")),
);

/** The commands that a help lists. */
const listed = (help: string) =>
  [...(help.split("\nCOMMANDS\n")[1] ?? "").matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);

Deno.test("the help of every command fits, has examples, and names flags that the reference has", async () => {
  await using folder = await temporaryFolder();
  const helpOf = async (...command: string[]) => {
    const { code, stdout, stderr } = await runProgram([...command, "--help"], { cwd: folder.path });
    assert.deepEqual([code, stderr], [0, ""], command.join(" "));
    return stdout;
  };
  async function look(...command: string[]): Promise<void> {
    const help = await helpOf(...command);
    const title = command.join(" ");
    for (const line of help.split("\n")) assert.ok(line.length <= 100, `${title}: ${line}`);
    assert.match(help, /^USAGE\n {2}queuectl /, title);
    assert.match(help, /^[A-Z].*[^,;:]$/m, title);
    const commands = listed(help);
    if (commands.length === 0) {
      assert.match(help, /\nEXAMPLES\n {2}\S/, title);
      // What it prints is the original's.
      assert.equal(/^.{5}--json/m.test(help), title !== "worker start", title);
    }
    for (const [, flag] of help.matchAll(/^.{5}(--[a-z-]+)/gm)) {
      assert.ok(reference.includes(flag), `${title}: ${flag} is not in the reference`);
    }
    await Promise.all(commands.map((name) => look(...command, name)));
  }
  await look();
});
