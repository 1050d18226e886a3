/** Who can read and write the files of a queue, and what the text of a job can do. */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { runCommandLines } from "../helpers/command_lines.ts";
import { postgresAlone } from "../helpers/drivers.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { makePythonDatabase } from "../helpers/python_database.ts";
import { type ProgramResult, runProgram } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { runWrapped, shell, startWrapped } from "../helpers/wrapped_program.ts";
import { newJob } from "../store/suite/harness.ts";

const posix = () => ({ ignore: posixOnly("modes of files, and what /bin/sh would obey") });

const mode = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);

queueTest("security: umask 000 gives nobody else anything of a queue that is at work", async (queue) => {
  const isFile = queue.store.location === `${queue.path}/queuectl.db`;
  // One that the test has not made.
  const url = isFile ? `${queue.path}/open.db` : queue.place.url;
  const options = { wrapper: shell("umask 000"), cwd: queue.path, env: { ...queue.env, QUEUECTL_DB: url } };
  const enqueued = await runWrapped({
    ...options,
    args: ["enqueue", JSON.stringify({ id: "a", command: `umask; ${untilFile("go")}` })],
  });
  assert.equal(enqueued.code, 0);
  const manager = queue.watch(startWrapped({ ...options, args: ["--drain"] }));
  await manager.line(/picked job a/);
  const modes = isFile
    ? ["", "-wal", "-shm", ".spool"].map((suffix) => mode(url + suffix))
    : [mode(queue.spool)];
  assert.deepEqual(modes, isFile ? ["600", "600", "600", "700"] : ["700"]);
  queue.touch("go");
  assert.equal((await manager.status).code, 0);
  await using store = await openStore(url, { missing: "empty", durable: false });
  assert.equal((await store.lastOutput("a"))?.output, "0000\n", "the command's own umask is the user's");
}, posix());

// The Python program has SQLite files only.
Deno.test({
  name: "security: the copy of a Python database is for its owner alone, also under umask 000",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    makePythonDatabase(file);
    await Deno.chmod(file, 0o644);
    const { code } = await runWrapped({
      wrapper: shell("umask 000"),
      args: ["list"],
      cwd: folder.path,
      env: {},
    });
    assert.equal(code, 0);
    assert.equal(mode(`${file}.python-backup`), "600");
  },
});

const commands = [
  ["list"],
  ["status"],
  ["enqueue", '{"id": "new", "command": "true"}'],
  ["dlq", "list"],
  ["dlq", "retry", "--all"],
  ["config", "set", "timeout", "5m"],
  ["worker", "list"],
  ["worker", "stop"],
];

// On a server the rights of others are its administrator's affair.
Deno.test({
  name: "security: a database that others can write is refused by every command, with the reason",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    {
      await using store = await openStore(file, { missing: "create", durable: false });
      await store.enqueue([newJob("a", { command: "touch ran" })]);
    }
    const bytes = await Deno.readFile(file);
    const run = (args: string[], env = {}) => runProgram(args, { cwd: folder.path, env });
    const refused = ({ code, stderr }: ProgramResult) => {
      assert.equal(code, 5, stderr);
      assert.match(stderr, /^[^\n]*queuectl\.db can be written by other users[^\n]*--allow-shared-db\n$/);
    };
    for (const shared of [0o620, 0o602, 0o666]) {
      await Deno.chmod(file, shared);
      (await runCommandLines([["list"], ...commands], folder.path)).forEach(refused);
    }
    // Only "1" is a yes.
    refused(await run(["list"], { QUEUECTL_ALLOW_SHARED_DB: "0" }));
    refused(await run(["worker", "start", "--drain"]));
    assert.deepEqual(await Deno.readFile(file), bytes);
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["queuectl.db"]);
    const allowed = commands.map((args) => ["--allow-shared-db", ...args]);
    for (const { code, stderr } of await runCommandLines(allowed, folder.path)) assert.equal(code, 0, stderr);
    assert.equal((await run(["worker", "--allow-shared-db", "start", "--drain"])).code, 0);
    // The worker of `worker start` was allowed too, and so are the commands of its jobs.
    assert.ok(Deno.statSync(`${folder.path}/ran`).isFile);
    await Deno.remove(`${folder.path}/ran`);
    for (const args of [["enqueue", '{"command": "touch ran"}'], ["worker", "start", "--drain"]]) {
      assert.equal((await run(args, { QUEUECTL_ALLOW_SHARED_DB: "1" })).code, 0, String(args));
    }
    assert.ok(Deno.statSync(`${folder.path}/ran`).isFile);
    assert.equal(mode(file), "666", "the mode of a database that was there is its owner's business");
  },
});

/** Texts that a shell would obey wherever they are not quoted. */
const hostile = [
  `'; touch pwned; '`,
  `"; touch pwned; "`,
  "$(touch pwned)",
  "`touch pwned`",
  "$QUEUECTL_CLAIM ${HOME} $$ !! ~ * ? [a]",
  "two\nlines\n\ntouch pwned\n",
  "\\ \\n \\' back\\",
  "' '' ''' \" & | ; < > ( ) { } # % = , \t\r",
  "\x1b[31m\x07 é 日本 🎉 \u202e",
  "-n -e --",
];

queueTest("security: ids, variables and folders reach a command as they are, and no shell", async (queue) => {
  const odd = `${queue.path}/$(touch pwned)'"\`touch pwned\`\n;touch pwned`;
  await Deno.mkdir(odd);
  // The spool is in it too, so that its path is in everything that the runner is told.
  const isFile = queue.store.location === `${queue.path}/queuectl.db`;
  const url = isFile ? `${odd}/q'$(touch pwned).db` : queue.place.url;
  await using store = await openStore(url, { missing: "create", durable: false });
  const print = `printf '%s\\0' "$QUEUECTL_JOB_ID" "$VALUE" "$PWD" "$QUEUECTL_DB"`;
  await store.enqueue(hostile.map((text, number) =>
    newJob(`${number}${text}`, {
      command: `${print} >"$OUT"`,
      env: { VALUE: text, OUT: `${queue.path}/out.${number}` },
      cwd: odd,
    })
  ));
  const args = ["--db", url, "worker", "start", "--drain"];
  const env = { ...queue.env, XDG_STATE_HOME: odd };
  const { code, stdout, stderr } = await runProgram(args, { cwd: queue.path, env });
  assert.deepEqual([code, stderr], [0, ""], stdout);
  for (const [number, text] of hostile.entries()) {
    const printed = queue.read(`out.${number}`).split("\0").slice(0, -1);
    assert.deepEqual(printed, [`${number}${text}`, text, odd, isFile ? url : store.location]);
  }
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  const names = [queue.path, odd].flatMap((folder) => [...Deno.readDirSync(folder)].map(({ name }) => name));
  assert.deepEqual(names.filter((name) => name === "pwned"), []);
}, posix());

/** Every variable that a command had, as it wrote them with `env -0`. */
function variables(queue: Queue, name: string): Map<string, string> {
  const lines = queue.read(name).split("\0").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

queueTest(
  "security: a command has nothing of another job, nor of what one did to its shell",
  async (queue) => {
    const spoil =
      "export LEAKED=1; A=changed; PATH=/none:$PATH; cd /; umask 0; set -f; set -- spoiled; alias env=false; " +
      "trap 'echo trapped' EXIT; printf() { exit 9; }; exec 3>&1; IFS=x; readonly VALUE; exit 0";
    const look =
      'env -0 >"$OUT"; umask; pwd; echo $#; echo "$IFS" | od -c | head -1; ls -d file*; (echo open >&3) 2>/dev/null || echo closed';
    await queue.enqueue(
      { id: "look-1", command: look, env: { OUT: "out.1" }, cwd: queue.path },
      { id: "spoil", command: spoil, env: { SECRET: "of this job", VALUE: "its own" } },
      { id: "look-2", command: look, env: { OUT: "out.2" }, cwd: queue.path },
    );
    queue.touch("file1");
    assert.equal((await queue.start("--drain").status).code, 0);
    const [first, second] = [variables(queue, "out.1"), variables(queue, "out.2")];
    for (const name of ["LEAKED", "SECRET", "VALUE", "A"]) assert.ok(!second.has(name), name);
    // Another runner may have run it.
    const marks = ["QUEUECTL_JOB_ID", "QUEUECTL_CLAIM", "OUT", "QUEUECTL_RUNNER"];
    const claims = marks.map((name) => [first.get(name), second.get(name)]);
    assert.deepEqual([claims[0], claims[2]], [["look-1", "look-2"], ["out.1", "out.2"]]);
    assert.match(claims[1][0]!, /^1\.1\./);
    assert.match(claims[1][1]!, /^3\.1\./);
    for (const name of marks) [first, second].forEach((variables) => variables.delete(name));
    assert.deepEqual([...second].sort(), [...first].sort(), "all else is the same");
    const output = async (id: string) => (await queue.store.lastOutput(id))?.output;
    assert.equal(await output("look-2"), await output("look-1"));
  },
  { ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: env -0") },
);

queueTest(
  "security: what a command writes for its runner and its worker makes no results",
  async (queue) => {
    const pipe = "/proc/$PPID/fd/1";
    const answer = String.raw`printf "exit 0 silent\n\nrefused\nexit 0 " >${pipe}`;
    const flood = `head -c 3000000 /dev/zero >${pipe}`;
    const status = 'f=$(readlink /proc/self/fd/1); f=${f%.out}.status; chmod u+w "$f"; ';
    const lines = String.raw`printf "exit none\nending __proto__\ntaken x\nstarted 1\n" >>"$f"`;
    await queue.enqueue(
      // A plain command is in the place of its subshell: its parent is the runner. Only root can open that one's pipes.
      { id: "answer", command: `sh -c '${answer}; exit 3'`, maxRetries: 0 },
      { id: "flood", command: `sh -c '${flood}; exit 4'`, maxRetries: 0 },
      { id: "status", command: `sh -c '${status}${lines}; exit 5'`, maxRetries: 0 },
      { id: "next", command: "true" },
    );
    const manager = queue.start("--drain");
    assert.equal((await manager.status).code, 1, "jobs have died");
    const results = await Promise.all(
      ["answer", "flood", "status", "next"].map(async (id) => {
        const { state, attempts } = (await queue.store.detail(id))!.job;
        const [attempt] = await queue.store.attempts(id);
        return [id, state, attempts, attempt?.exitCode];
      }),
    );
    assert.deepEqual(results, [["answer", "dead", 1, 3], ["flood", "dead", 1, 4], ["status", "dead", 1, 5], [
      "next",
      "completed",
      1,
      0,
    ]]);
  },
  { ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: pipes that have names") },
);

queueTest("security: what a terminal would obey is neutral wherever it is shown", async (queue) => {
  const evil = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u200b\u{e0041}\r\n\tid";
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const unseen = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b\u{e0041}]/u;
  await queue.enqueue(
    { id: "running", command: untilFile("go") },
    { id: "dead", command: "printf '\\033[2Jerror\\007\\n' >&2; exit 1", maxRetries: 0 },
  );
  const sql = `'${evil.replace(/id$/, "")}'`;
  await queue.place.query(`UPDATE jobs SET id = ${sql} || id, command = command || ' #' || ${sql}`);
  const manager = queue.start("--concurrency", "2");
  await manager.line(/moved to DLQ$/);
  const shown = [["list"], ["dlq", "list"], ["worker", "list"], ["list", "--json"], [
    "worker",
    "list",
    "--json",
  ]];
  const texts = await Promise.all(shown.map((args) => queue.run(...args)));
  const [{ id }] = await queue.place.query("SELECT id FROM jobs WHERE state = 'dead'") as [{ id: string }];
  const named = [
    ["show", id],
    ["wait", id],
    ["hold", id],
    ["edit", id, "--priority", "1"],
    ["move", id, "--to", "other"],
    ["enqueue", '{"command": "true", "unique": "key", "on_duplicate": "keep"}'],
    ["enqueue", '{"command": "true", "unique": "key"}'],
    ["status", "--json"],
    ["queue", "list"],
    ["list", "--columns", "id,tags,queue"],
  ];
  await queue.place.query(`UPDATE jobs SET unique_key = 'key' WHERE state = 'processing'`);
  for (const args of named) {
    const { stdout, stderr } = await queue.run(...args);
    assert.doesNotMatch(stdout + stderr, unseen, args.join(" "));
  }
  // An id that is not there is quoted in the message.
  texts.push(await queue.run("dlq", "retry", evil));
  assert.equal(texts.at(-1)?.code, 3);
  for (const [number, { stdout, stderr }] of texts.entries()) {
    assert.doesNotMatch(stdout + stderr, unseen, String(shown[number]));
  }
  for (const { stdout } of texts.slice(0, 3)) assert.match(stdout, /\\x1b\]0;title\\x07\\x1b\[2J/);
  assert.doesNotMatch(manager.lines.join("\n"), unseen);
  const retried = await queue.run("dlq", "retry", "--all");
  assert.equal(retried.stdout, "1 job moved back to pending queue.\n");
  queue.touch("go");
}, posix());

queueTest(
  "security: commands get the database without its password, unless they are to have it",
  async (queue) => {
    const { password } = new URL(queue.place.url);
    assert.notEqual(password, "");
    const print = (file: string) => `printf %s "$QUEUECTL_DB" >${file}`;
    await queue.enqueue({ id: "without", command: print("without") });
    assert.equal((await queue.start("--drain").status).code, 0);
    assert.equal(queue.read("without"), queue.store.location);
    assert.ok(!queue.read("without").includes(password));
    await queue.enqueue({ id: "with", command: print("with") });
    assert.equal((await queue.start("--drain", "--pass-database").status).code, 0);
    assert.equal(queue.read("with"), queue.place.url);
  },
  { ...posix(), on: postgresAlone },
);
