import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { permissions } from "../../src/worker/host/program.ts";
import type { ProgramResult } from "./program.ts";

/** Runs command lines of queuectl in one process, one after another, and returns what each of them gave. */
export async function runCommandLines(lines: readonly string[][], cwd: string): Promise<ProgramResult[]> {
  const script = fileURLToPath(import.meta.resolve("./commands_process.ts"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...permissions, script],
    cwd,
    env: { NO_COLOR: "1", QUEUECTL_DB: "queuectl.db" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(JSON.stringify(lines))).then(() => writer.close());
  const [output] = await Promise.all([child.output(), written]);
  const decoder = new TextDecoder();
  // Of each command: what it printed, NUL, its status, NUL.
  const stdout = decoder.decode(output.stdout).split("\0");
  const stderr = decoder.decode(output.stderr).split("\0");
  assert.equal(stderr.length, lines.length + 1, `the process ended early: ${stderr.at(-1)}`);
  return lines.map((_, index) => ({
    stdout: stdout[2 * index],
    code: Number(stdout[2 * index + 1]),
    stderr: stderr[index],
  }));
}
