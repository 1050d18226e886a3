/**
 * Compiles the program with its permissions: `deno task compile` makes dist/queuectl for this platform, with `--all`
 * dist/queuectl-TARGET for every platform. `DENO_COMPILE` names another `deno` to compile with; `DENORT_BIN`, which
 * `deno compile` itself knows, is the runtime that goes into the executable instead of the downloaded one.
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { commonPermissions, engineFlags } from "../src/worker/host/program.ts";

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
async function run(
  command: string,
  args: readonly string[],
  cwd = project,
): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: "null",
  })
    .output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  return { success, text: text.replace(/\n*Stack backtrace:[^]*/, "").trim() };
}

/**
 * Puts the source into a few files of JavaScript, which start quicker than many modules. What is
 * loaded later stays apart. Returns the path of the first of them; they are in a folder of their own below `folder`.
 */
async function bundle(folder: string): Promise<string> {
  for (const path of sourceFiles("src")) {
    const text = Deno.readTextFileSync(`${project}${path}`);
    Deno.mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    // In the executable all modules are at hand: there is nothing to hide from Deno, and from the bundler everything
    // has to be in sight.
    Deno.writeTextFileSync(`${folder}/${path}`, text.replaceAll(/\blazy\(\s*("[^"]+")\s*\)/g, "$1"));
  }
  for (const name of ["deno.json", "deno.lock"]) Deno.copyFileSync(`${project}${name}`, `${folder}/${name}`);
  const { success, text } = await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    // Half of the text, which every start has to read. By their names libraries tell classes of errors apart.
    "--minify",
    "--keep-names",
    "--code-splitting",
    "--outdir",
    `${folder}/bundle`,
    `${folder}/src/main.ts`,
  ], folder);
  if (!success) fail(text, "Bundling the source failed.");
  return `${folder}/bundle/main.js`;
}

function* sourceFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${project}${folder}`)) {
    if (isDirectory) yield* sourceFiles(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** Compiles a program for one target, or for this platform; returns the path of the executable. */
async function compile(program: string, target?: string): Promise<string> {
  const isWindows = target?.includes("windows") ?? Deno.build.os === "windows";
  const output = `dist/queuectl${target ? `-${target}` : ""}${isWindows ? ".exe" : ""}`;
  const { success, text } = await run(compiler, [
    "compile",
    "--quiet",
    "--no-prompt",
    engineFlags,
    // It would be in the shared temporary folder, where another user can put one that is run.
    "--no-code-cache",
    ...commonPermissions,
    // Where Windows is on the machine that will run it is not known here, so the libraries cannot be named.
    ...isWindows ? ["--allow-ffi"] : [],
    ...(target ? ["--target", target] : []),
    "--output",
    output,
    program,
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
const folder = await Deno.makeTempDir({ prefix: "queuectl-compile-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const program = await bundle(folder);
for (const target of all ? targets : [undefined]) {
  const output = await compile(program, target);
  if (target === undefined || target === Deno.build.target) await check(output);
  const { size } = await Deno.stat(`${project}/${output}`);
  console.log(`${output} (${Math.round(size / 1024 ** 2)} MiB)`);
}
