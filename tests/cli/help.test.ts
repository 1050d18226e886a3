/**
 * The help of all commands, read as a whole: lines that fit, one form, --json everywhere, and no flag that the reference
 * does not have.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runProgram } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const readPage = (path: string) => Deno.readTextFile(fileURLToPath(import.meta.resolve(`../../${path}`)));
const reference = await readPage(".github/REFERENCE.md");
const readme = await readPage("README.md");

/** Flags that every command has, which no usage line repeats. */
const globalFlags = ["--db", "--allow-shared-db", "--allow-linked-db", "--help", "--version"];

/** The lines of one part of a help. */
const part = (help: string, title: string) =>
  new RegExp(`(?:^|\n)${title}\n((?: .*\n)*)`).exec(help)?.[1] ?? "";

/** The commands that a help lists. */
const listed = (help: string) =>
  [...part(help, "COMMANDS").matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);

/** The flags of a part of a help, each with its letter where it has one. */
const flagsOf = (lines: string) =>
  [...lines.matchAll(/^ {2}(-\w| {2}) (--[a-z-]+)/gm)].map(([, letter, name]) => ({ letter, name }));

function checkUsage(help: string, title: string): void {
  const usage = part(help, "USAGE");
  assert.ok(!/[<>]/.test(usage), `${title}: ${usage}`);
  for (const { letter, name } of flagsOf(part(help, "FLAGS"))) {
    const isSaid = globalFlags.includes(name) || usage.includes("[FLAGS]") || usage.includes(name) ||
      (letter.trim() !== "" && usage.includes(letter));
    assert.ok(isSaid, `${title}: ${name} is not in its usage`);
  }
  for (const group of ["FILTERS", "CHANGES"]) {
    assert.equal(usage.includes(group), part(help, group) !== "", `${title}: ${group}`);
  }
  // Where a command prints JSON, it does so however its jobs are named.
  const lines = usage.trimEnd().split(/\n {2}(?! )/);
  if (usage.includes("[--json]") && !usage.includes("--abandon")) {
    for (const line of lines) assert.ok(line.includes("[--json]"), `${title}: ${line}`);
  }
  assert.equal(part(help, "FILTERS").includes("--state "), part(help, "STATES") !== "", `${title}: STATES`);
}

Deno.test("the help of every command fits, has one form, and names flags that the reference has", async () => {
  await using folder = await temporaryFolder();
  const helpOf = async (...command: string[]) => {
    const { code, stdout, stderr } = await runProgram([...command, "--help"], { cwd: folder.path });
    assert.deepEqual([code, stderr], [0, ""], command.join(" "));
    return stdout;
  };
  async function look(...command: string[]): Promise<void> {
    const help = await helpOf(...command);
    const title = command.join(" ");
    for (const line of help.split("\n")) assert.ok(line.length <= 80, `${title}: ${line}`);
    assert.match(help, /^USAGE\n {2}queuectl /, title);
    assert.match(help, /\n\n[A-Z][^\n]*(\n[^\n]+)*\.\n/, `${title}: no sentence`);
    assert.match(help, /\nEXAMPLES\n {2}\S/, title);
    assert.doesNotMatch(help, /\[default (?!is)/, title);
    for (const list of ["COMMANDS", "FLAGS", "FILTERS", "CHANGES", "ARGUMENTS", "FIELDS", "STATES"]) {
      assert.doesNotMatch(part(help, list), /[^.]\.$/m, title);
    }
    for (const { name } of flagsOf(help)) {
      assert.ok(reference.includes(name), `${title}: ${name} is not in the reference`);
    }
    const commands = listed(help);
    if (commands.length === 0) {
      checkUsage(help, title);
      // What it prints is the original's.
      assert.equal(flagsOf(help).some(({ name }) => name === "--json"), title !== "worker start", title);
    }
    await Promise.all(commands.map((name) => look(...command, name)));
  }
  await look();
});

Deno.test("what people type for a command is in the help, the README and the reference", async () => {
  await using folder = await temporaryFolder();
  const run = async (...args: string[]) => (await runProgram(args, { cwd: folder.path })).stdout;
  const all = await run("--help");
  for (const [alias, command] of [["add", "enqueue"], ["log", "logs"], ["restart", "retry"]]) {
    assert.match(all, new RegExp(`\n {2}${command} .*\\(also: ${alias}\\)\n`));
    assert.equal(part(await run(command, "--help"), "ALIASES"), `  queuectl ${alias}\n`);
    assert.equal(part(await run(alias, "--help"), "ALIASES"), `  queuectl ${command}\n`);
    const said = new RegExp(`\`${alias}\` is\\s\`${command}\``);
    assert.ok(said.test(reference), `REFERENCE: ${alias}`);
    assert.ok(said.test(readme), `README: ${alias}`);
  }
  assert.match(await run("logs", "--help"), /"queuectl\sfollow"/);
  assert.match(await run("rm", "--help"), /"queuectl\sclean"/);
});
