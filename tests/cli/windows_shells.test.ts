/**
 * What becomes of jobs as people type them in the shells of Windows. These shells are not here: their rules are, as they are
 * documented, and the lines are those of the README and of the Python program's.
 */

import assert from "node:assert/strict";
import { type EnqueueForm, formOf } from "../../src/cli/arguments/enqueue_form.ts";
import { readGlobalFlags } from "../../src/cli/parser/global_flags.ts";
import { argumentsOf, quoteArgument } from "../../src/job/windows_words.ts";

/** The arguments of a program, of what stands behind its name. `cmd.exe` passes that on: quotes are for the program. */
const cmd = argumentsOf;

/**
 * PowerShell before 7.3 puts quotes around an argument that has blanks outside of quotes, and does nothing about quotes in
 * it; empty arguments are lost (learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_parsing).
 */
function oldPowerShell(tokens: readonly string[]): string[] {
  const written = tokens.filter((token) => token !== "").map((token) =>
    /\s/.test(token.replaceAll(/"[^"]*(?:"|$)/g, "")) ? `"${token}"` : token
  );
  return argumentsOf(written.join(" "));
}

/** PowerShell from 7.3 on (`$PSNativeCommandArgumentPassing`), and Git Bash, whose runtime does the same. */
const exact = (tokens: readonly string[]) => argumentsOf(tokens.map(quoteArgument).join(" "));

/** `--%` is left out, and what is behind it is passed on as it is typed; before it stand tokens. */
const verbatim = (tokens: readonly string[], rest: string) => argumentsOf(`${tokens.join(" ")} ${rest}`);

/** The MSYS runtime of Git Bash takes an argument that begins with a slash for a path below its own root. */
const gitBash = (tokens: readonly string[]) =>
  exact(
    tokens.map((token) => token.replace(/^\/([a-z])$/i, (_, drive: string) => `${drive.toUpperCase()}:/`)),
  );

function read(given: readonly string[]): EnqueueForm {
  const { args } = readGlobalFlags(["enqueue", ...given]);
  const [, ...behindVerb] = args;
  const at = behindVerb.indexOf("--");
  const behind = at < 0 ? undefined : behindVerb.slice(at + 1);
  return formOf(at < 0 ? behindVerb : behindVerb.toSpliced(at, 1), behind, undefined, "enqueue", "windows");
}

const timeout = '{"command": "timeout /T 2"}';
const escaped = String.raw`"{\"command\": \"timeout /T 2\"}"`;
/** What PowerShell reads of that: a text ends at its second quote, and a backslash is a character. */
const escapedTokens = ["{\\", "command\\: \\timeout", "/T", "2\\}"];

Deno.test("what is typed rightly in a shell of Windows is the job that was meant", () => {
  const json: EnqueueForm = { kind: "json", text: timeout };
  const ping: EnqueueForm = { kind: "words", words: ["ping", "-n", "3", "localhost"] };
  const dir: EnqueueForm = { kind: "shell", text: "dir /b & echo done" };
  const cases: Array<[string, string[], EnqueueForm]> = [
    ["cmd.exe, JSON", cmd(escaped), json],
    ["cmd.exe, with the --% of PowerShell", cmd(`--% ${escaped}`), json],
    ["cmd.exe, doubled quotes", cmd(`"{""command"": ""timeout /T 2""}"`), json],
    ["cmd.exe, words", cmd("-- ping -n 3 localhost"), ping],
    ["cmd.exe, shell text", cmd('"dir /b & echo done"'), dir],
    ["PowerShell, --%", verbatim([], escaped), json],
    ["PowerShell, --% behind flags", verbatim(["--"], escaped), json],
    ["PowerShell 7.3, single quotes", exact([timeout]), json],
    [
      "PowerShell before 7.3, escaped in single quotes",
      oldPowerShell([timeout.replaceAll('"', '\\"')]),
      json,
    ],
    ["PowerShell before 7.3, words", oldPowerShell(["--", "ping", "-n", "3", "localhost"]), ping],
    ["PowerShell before 7.3, shell text", oldPowerShell(["dir /b & echo done"]), dir],
    ["PowerShell 7.3, shell text", exact(["dir /b & echo done"]), dir],
    ["Git Bash, JSON", gitBash([timeout]), json],
    ["Git Bash, words", gitBash(["--", "ping", "-n", "3", "localhost"]), ping],
    ["Git Bash, shell text", gitBash(["dir /b & echo done"]), dir],
    // What it is known for; MSYS_NO_PATHCONV=1 keeps it from that.
    ["Git Bash, a flag like a path", gitBash(["--", "cmd", "/c", "x"]), {
      kind: "words",
      words: ["cmd", "C:/", "x"],
    }],
  ];
  for (const [name, given, form] of cases) assert.deepEqual(read(given), form, name);
});

Deno.test("where a shell has taken the quotes it is said what to type in that shell", () => {
  const single = /^cmd\.exe does not know single quotes\. Type queuectl enqueue "\{\\"command\\": /;
  const lost =
    /^The quotes of the JSON were lost on the way\. Type .* in cmd\.exe, .*--% "\{.* in PowerShell$/;
  const text =
    /^cmd\.exe does not know single quotes: put the command into double ones, or put -- before it: /;
  const cases: Array<[string, string[], RegExp]> = [
    ["cmd.exe, JSON in single quotes", cmd(`'${timeout}'`), single],
    ["cmd.exe, the same without blanks", cmd(`'{"command":"dir"}'`), single],
    ["cmd.exe, the same behind --", cmd(`-- '${timeout}'`), single],
    ["cmd.exe, shell text in single quotes", cmd("'dir /b'"), text],
    ["cmd.exe, one word in single quotes", cmd("'dir'"), text],
    ["cmd.exe, quotes within quotes", cmd(`"${timeout}"`), lost],
    ["PowerShell before 7.3, single quotes", oldPowerShell([timeout]), lost],
    ["PowerShell before 7.3, single quotes behind --", oldPowerShell(["--", timeout]), lost],
    ["PowerShell before 7.3, escaped as for cmd.exe", oldPowerShell(escapedTokens), lost],
    ["PowerShell 7.3, escaped as for cmd.exe", exact(escapedTokens), lost],
  ];
  for (const [name, given, message] of cases) {
    assert.throws(() => read(given), { code: "usage", message }, name);
  }
  // One argument is JSON in which something is wrong, which is said with the same advice.
  assert.deepEqual(read(oldPowerShell(['{"command":"dir"}'])), { kind: "json", text: "{command:dir}" });
});

Deno.test("commands that only look so are left alone", () => {
  const cases: string[][] = [["dir /b 'a b'"], ["--", "tool", "'a'"], ["--", "'tool", "a"], ["{ a }"], [
    "--",
    "{",
    "x",
  ]];
  for (const given of cases) assert.doesNotThrow(() => read(given), given.join(" "));
  for (const given of [["'a b'"], ["--", "'a'", "b'"]]) {
    assert.doesNotThrow(() => formOf(given.slice(-1), undefined, undefined, "enqueue", "linux"));
  }
});
