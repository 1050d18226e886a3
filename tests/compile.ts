/**
 * Compiles the program with its permissions: `deno task compile` makes dist/queuectl for this platform, with `--all`
 * dist/queuectl-TARGET for every platform. `DENO_COMPILE` names another `deno` to compile with; `DENORT_BIN`, which
 * `deno compile` itself knows, is the runtime that goes into the executable instead of the downloaded one.
 */

import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { engineFlags, permissions } from "../src/worker/program.ts";

const targets = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

const project = fileURLToPath(new URL("..", import.meta.url));
const compiler = Deno.env.get("DENO_COMPILE") || Deno.execPath();

/** Says on standard error what is to be done about a failure. */
function fail(...lines: string[]): never {
  console.error(lines.join("\n"));
  Deno.exit(1);
}

/** Runs a program in the project and returns all that it said, without the stack of a failure of Deno's. */
async function run(command: string, args: readonly string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: project,
    stdin: "null",
  })
    .output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  return { success, text: text.replace(/\n*Stack backtrace:[^]*/, "").trim() };
}

/** Compiles for one target, or for this platform; returns the path of the executable. */
async function compile(target?: string): Promise<string> {
  const isWindows = target?.includes("windows") ?? Deno.build.os === "windows";
  const output = `dist/queuectl${target ? `-${target}` : ""}${isWindows ? ".exe" : ""}`;
  const { success, text } = await run(compiler, [
    "compile",
    "--quiet",
    "--no-prompt",
    engineFlags,
    ...permissions,
    ...(target ? ["--target", target] : []),
    "--output",
    output,
    "src/main.ts",
  ]);
  if (!success) {
    fail(
      text,
      `Compiling ${output} failed.`,
      "If the runtime that goes into the executable could not be downloaded: compile where the network allows it, or",
      'set DENORT_BIN to a "denort" of the same version as the compiling deno (DENO_COMPILE names another one).',
    );
  }
  return output;
}

/** Starts an executable of this platform: one with the runtime of another Deno version is made without an error. */
async function check(output: string): Promise<void> {
  const { success, text } = await run(`${project}/${output}`, ["--version"]);
  if (!success || text !== config.version) {
    fail(text, `${output} does not start. Are DENORT_BIN and ${compiler} of the same version?`);
  }
}

const all = Deno.args.includes("--all");
if (all && Deno.env.get("DENORT_BIN")) {
  fail("DENORT_BIN is the runtime of one platform; unset it to compile for all of them.");
}
for (const target of all ? targets : [undefined]) {
  const output = await compile(target);
  if (target === undefined || target === Deno.build.target) await check(output);
  const { size } = await Deno.stat(`${project}/${output}`);
  console.log(`${output} (${Math.round(size / 1024 ** 2)} MiB)`);
}
