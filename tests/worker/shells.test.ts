/** The runner's lines under every shell that may be `/bin/sh`: never a false exit status. */

import assert from "node:assert/strict";
import { answerIn, runnerPrelude, runnerScript } from "../../src/worker/run/shell_script.ts";
import { readStatus, startedLine } from "../../src/worker/spool/spool.ts";
import { readOutput } from "../../src/worker/spool/spool_output.ts";
import { killAllWith } from "../helpers/host_processes.ts";
import { leftOut } from "../helpers/left_out.ts";
import { isRoot } from "../helpers/resources.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** Names of shells, and how each is found and started as `sh`. */
const shells: Array<{ name: string; program: string; args: string[] }> = [
  { name: "dash", program: "dash", args: [] },
  { name: "bash", program: "bash", args: [] },
  { name: "busybox", program: "busybox", args: ["sh"] },
  { name: "mksh", program: "mksh", args: [] },
  { name: "ksh93", program: "ksh93", args: [] },
];

function findProgram(name: string): string | undefined {
  return (Deno.env.get("PATH") ?? "").split(":").map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** A shell that was told the prelude. */
interface Shell extends AsyncDisposable {
  pid: number;
  /** Whether it says that subshells are processes. */
  forks: string;
  /** The words that its answers had. */
  words: string[];
  /** Runs a command and returns the answer; the files of the run are `PATH/NAME`. */
  run(name: string, command: string): Promise<string>;
}

async function startShell(program: string, args: string[], path: string): Promise<Shell> {
  // Some behave otherwise when they are called sh.
  await Deno.symlink(program, `${path}/sh`);
  const [command, ...rest] = args.length === 0 ? [`${path}/sh`] : [program, ...args];
  const child = new Deno.Command(command, {
    args: rest,
    cwd: path,
    env: { QUEUECTL_RUNNER: path },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  async function readLine(): Promise<string | null> {
    while (!pending.includes("\n")) {
      const { value, done } = await output.read();
      if (done) return null;
      pending += value;
    }
    const [line, ...lines] = pending.split("\n");
    pending = lines.join("\n");
    return line;
  }
  async function ask(text: (word: string) => string): Promise<string> {
    const word = crypto.randomUUID();
    words.push(word);
    await input.write(new TextEncoder().encode(text(word)));
    for (let line; (line = await readLine()) !== null;) {
      const answer = answerIn(line, word);
      if (answer) return answer.join(" ");
    }
    return `(the shell has ended, after: ${pending})`;
  }
  const words: string[] = [];
  const [ready, start, forks] = (await ask((word) => runnerPrelude(Deno.build.os, word))).split(" ");
  assert.equal(ready, "ready");
  assert.notEqual(start, "");
  return {
    pid: child.pid,
    forks,
    words,
    run: (name, command) => {
      const files = `${path}/${name}`;
      const line = startedLine({ pid: child.pid, start, boot: "boot", claim: name, runner: path });
      const traits = { forks: forks === "yes", hasFunctions: false, lostVariables: [] };
      const spec = { command, files, cwd: path, env: { A: "it's\n2" } };
      return ask((word) => runnerScript(spec, line, traits, word));
    },
    async [Symbol.asyncDispose]() {
      await input.close();
      await output.cancel();
      await child.status;
      await killAllWith(path);
    },
  };
}

/** Commands with their exit statuses; null for any but 0, where shells differ. */
const commands: Record<string, [string, number | null]> = {
  "true": ["true", 0],
  "nothing": ["", 0],
  "exit": ["exit 3", 3],
  "last": ["(exit 7)", 7],
  "unknown": ["no-such-program-anywhere", 127],
  "syntax": ["if then", null],
  "unclosed": ["echo 'never closed", null],
  "more-closed": ["echo a )", null],
  "term": ["kill -TERM $$", 143],
  "term-inner": ["exec sh -c 'kill -TERM $$'", 143],
  "kill": ["sh -c 'kill -KILL $PPID'; :", 137],
  "group": ["trap '' TERM; sh -c 'exit 5'", 5],
  "exec": ["exec sh -c 'exit 4'", 4],
  "exec-success": ["exec true", 0],
  "exec-unknown": ["exec no-such-program-anywhere", 127],
  "own-trap": ["trap 'echo bye' EXIT; exit 5", 5],
  "trap-status": ["trap 'exit 6' EXIT; exit 5", 6],
  "closed": ["exec >&- 2>&- <&-; exit 6", 6],
  "errexit": ["set -e; false; exit 0", null],
  "unset": ["set -u; echo $no_such_variable; exit 0", null],
  "dollars": ["[ \"$(sh -c 'echo $PPID')\" = $$ ]", 0],
  "quotes": ['[ "$A" = "it\'s\n2" ]', 0],
  "heredoc": ["cat <<'E' | grep -q 'it.s $A'\nit's $A\nE", 0],
  "background": ["sleep 99 & exit 2", 2],
  "noclobber": ["echo a >file; echo b >file", 0],
  "status": ['exit "$?"', 0],
  "plain": ["env -i sh /dev/null", 0],
  "plain-status": ["sh -c exit", 0],
  "plain-failing": ["ls /no/such/folder", null],
  "plain-path": ["/bin/sh -c false", 1],
  "plain-folder": ["/bin", 126],
  "plain-unknown-path": ["/no/such/program x", 127],
  "plain-not-executable": ["/etc/passwd", 126],
  "words": ["'test' 'it'\\''s $A' = 'it'\\''s $A'", 0],
  "words-failing": ["'test' 'a b' = 'a  b'", 1],
  "words-dollars": ["'test' '$$' = '$$'", 0],
  "words-unknown": ["'no-such program' 'a b'", 127],
  "words-builtin": ["'exit' 3", null],
  "words-syntax": ["'if' then", 127],
  "words-assignment": ["'A=1' env", 127],
};

/** That a command neither sees the word of an answer nor makes one, also where it can open the pipe (as root can). */
async function checkAnswersAreSafe(shell: Shell, path: string): Promise<void> {
  const pipe = `/proc/${shell.pid}/fd`;
  const look = "set; alias; trap; jobs; export -p; env; fc -l; history; declare -f; typeset -f; " +
    'echo "$BASH_COMMAND $_ $BASH_EXECUTION_STRING $*"; cat; ' +
    `cat /proc/self/cmdline /proc/${shell.pid}/cmdline /proc/${shell.pid}/environ; ` +
    `dd if=${pipe}/0 iflag=nonblock; cat ${path}/look.status; true`;
  assert.equal(await shell.run("look", look), "exit 0 printed");
  const shown = ["out", "err"].map((stream) => readOutput(`${path}/look`, stream as "out" | "err", 1e6))
    .join();
  assert.match(shown, /QUEUECTL_RUNNER/);
  assert.deepEqual(shell.words.filter((word) => shown.includes(word)), []);

  if (Deno.build.os !== "linux") return;
  const forge = `printf 'exit 0 silent\\nrefused\\n\\nexit 0 ' >${pipe}/1`;
  assert.match(await shell.run("forge", `${forge}; exit 3`), /^exit 3 /);
  // One that an earlier command has left behind.
  const later = `{ until [ -e go ]; do sleep 0.01; done; ${forge}; : >forged; } &`;
  assert.equal(await shell.run("leave", later), "exit 0 silent");
  const next = ": >go; until [ -e forged ]; do sleep 0.01; done; exit 4";
  assert.equal(await shell.run("later", next), "exit 4 silent");
}

for (const { name, program, args } of shells) {
  const path = Deno.build.os === "windows" ? undefined : findProgram(program);
  Deno.test({
    name: `a runner under ${name} answers the exit status of every command${path ? "" : " (not installed)"}`,
    ignore: path === undefined,
    async fn() {
      await using folder = await temporaryFolder();
      await using shell = await startShell(path!, args, folder.path);
      assert.equal(shell.forks, name === "ksh93" ? "no" : "yes");
      const wrong: string[] = [];
      for (const [key, [command, expected]] of Object.entries(commands)) {
        const answer = await shell.run(key, command);
        const files = `${folder.path}/${key}`;
        const [, exit, output] = /^(exit \d+) (\w+)$/.exec(answer) ?? [null, answer];
        const right = expected === null ? /^exit (?!0$)\d+$/.test(exit) : exit === `exit ${expected}`;
        if (!right) wrong.push(`${command}: ${answer}, not ${expected}`);
        const printed = ["out", "err"].some((stream) => Deno.statSync(`${files}.${stream}`).size > 0);
        assert.equal(output, printed ? "printed" : "silent", command);
        const status = readStatus(files);
        assert.equal(`exit ${status?.exitStatus}`, exit, "the status file and the answer differ");
        assert.deepEqual([status?.started?.boot, status?.started?.claim], ["boot", key]);
      }
      assert.deepEqual(wrong, []);
      assert.equal(readOutput(`${folder.path}/own-trap`, "out", 1000), "bye\n");
      // A plain command is in the place of its subshell. Where that is no process /bin/sh runs it, in its own way.
      assert.equal(await shell.run("in-place", "sh -c 'echo $PPID'"), "exit 0 printed");
      const parent = readOutput(`${folder.path}/in-place`, "out", 1000);
      if (shell.forks === "yes") assert.equal(parent, `${shell.pid}\n`);
      for (const key of ["unknown", "plain-unknown-path", "plain-not-executable", "plain-folder"]) {
        const text = readOutput(`${folder.path}/${key}`, "err", 1000);
        assert.ok(text.includes(commands[key][0].split(" ")[0]) && !text.includes("exec:"), text);
      }

      await checkAnswersAreSafe(shell, folder.path);

      Deno.writeTextFileSync(`${folder.path}/late.status`, "given up\n");
      assert.equal(await shell.run("late", "touch was-here"), "refused");
      assert.equal(Deno.readTextFileSync(`${folder.path}/late.status`), "given up\n");
      assert.equal(await shell.run("again", "[ ! -e was-here ]"), "exit 0 silent");
      // Where its files cannot be opened a command does not start.
      Deno.mkdirSync(`${folder.path}/taken.err`);
      assert.match(await shell.run("taken", "touch was-here"), /^exit [1-9]\d* \w+$/);
      Deno.mkdirSync(`${folder.path}/taken-too.out`);
      assert.match(await shell.run("taken-too", "touch was-here"), /^exit [1-9]\d* unopened$/);
      assert.equal(await shell.run("after", "[ ! -e was-here ]"), "exit 0 silent");
    },
  });
}

Deno.test({
  name: "nobody opens the pipes of a runner a second time, not even its own commands",
  ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: pipes that have names"),
  async fn() {
    await using folder = await temporaryFolder();
    let program = "/bin/sh";
    let args: string[] = [];
    // Modes do not bind root.
    if (isRoot) {
      await Deno.chown(folder.path, 54_321, 54_321);
      program = findProgram("setpriv")!;
      args = ["--reuid=54321", "--regid=54321", "--clear-groups", "/bin/sh"];
    }
    await using shell = await startShell(program, args, folder.path);
    for (const [number, direction] of [[0, "<"], [0, ">"], [1, "<"], [1, ">"]]) {
      const open = `: ${direction}/proc/${shell.pid}/fd/${number}`;
      const key = `${number}${direction === "<" ? "read" : "write"}`;
      assert.equal(await shell.run(key, `if (${open}); then exit 3; fi`), "exit 0 printed", open);
      assert.match(readOutput(`${folder.path}/${key}`, "err", 1000), /denied/, open);
    }
  },
});
