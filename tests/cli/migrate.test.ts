import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { type Driver, drivers, type Place } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { onServer } from "../helpers/postgres_database.ts";
import { runProgram } from "../helpers/program.ts";
import { queueRows } from "../helpers/queue_rows.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { executeOnFile } from "../helpers/sqlite_database.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { hasTerminal } from "../helpers/terminal.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { manualClock } from "../store/suite/harness.ts";
import { fill } from "../store/suite/moving.ts";
import { permissions } from "../../src/worker/host/program.ts";
import { quote } from "../../src/job/shell_words.ts";

const [sqlite, postgres] = drivers;

/** Registers a test with two places, in folders of their own. */
function pairTest(
  name: string,
  [one, other]: readonly [Driver, Driver],
  body: (subject: {
    path: string;
    from: Place;
    to: Place;
    migrate(...args: string[]): ReturnType<typeof runProgram>;
  }) => Promise<void>,
): void {
  Deno.test({
    name: `${one.name} → ${other.name}: ${name}`,
    ignore: one.ignore || other.ignore,
    async fn() {
      await using folder = await temporaryFolder();
      const { path } = folder;
      for (const end of ["from", "to"]) Deno.mkdirSync(`${path}/${end}`);
      await using from = one.place(`${path}/from`);
      await using to = other.place(`${path}/to`);
      const migrate = (...args: string[]) => runProgram(["migrate", ...args], { cwd: path });
      await body({ path, from, to, migrate });
    },
  });
}

async function fillPlace({ url }: Place): Promise<void> {
  const clock = manualClock();
  await using store = await openStore(url, { missing: "create", durable: false, clock: clock.now });
  await fill(store, clock);
}

/** How a place is named to a person: without its password. */
function location({ url }: Place): string {
  return url.replace(/^(postgres:\/\/[^:@]+):[^@]+@/, "$1@");
}

const password = new URL(Deno.env.get("QUEUECTL_TEST_POSTGRES") || "postgres://a:no-password@b/").password;

for (
  const pair of [[sqlite, sqlite], [sqlite, postgres], [postgres, sqlite], [postgres, postgres]] as const
) {
  pairTest("a queue moves there and back, and no password is shown", pair, async ({ from, to, migrate }) => {
    await fillPlace(from);
    const before = await queueRows(from.url);
    const there = await migrate("--from", from.url, "--to", to.url);
    assert.deepEqual([there.code, there.stderr], [0, "Database schema initialized successfully.\n"]);
    const states = "2 pending, 2 completed, 2 failed, 1 dead, 2 cancelled";
    assert.equal(there.stdout, `Moved 9 jobs (${states}) from ${location(from)} to ${location(to)}\n`);
    assert.deepEqual(await queueRows(to.url), before);
    const back = await migrate("--json", `--from=${to.url}`, `--to=${from.url}`);
    assert.deepEqual([back.code, back.stderr], [0, ""]);
    assert.deepEqual(JSON.parse(back.stdout), {
      from: location(to),
      to: location(from),
      jobs: 9,
      states: { pending: 2, processing: 0, completed: 2, failed: 2, dead: 1, cancelled: 2 },
      resumed: false,
    });
    assert.deepEqual(await queueRows(from.url), before);
    const nothing = await migrate("--from", to.url, "--to", from.url);
    assert.equal(nothing.code, 4);
    assert.equal(
      nothing.stderr,
      `The queue in ${location(from)} has 9 jobs already; a queue moves only to where there is none: ` +
        "give another file, database or schema\n",
    );
    for (const { stdout, stderr } of [there, back, nothing]) {
      assert.ok(password === "" || !(stdout + stderr).includes(password), stdout + stderr);
    }
    for (const place of [from, to]) await place.assertSound();
  });
}

Deno.test("a wrong command line of migrate is explained, and makes no file", async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  Deno.writeTextFileSync(`${cwd}/text`, "not a database, and longer than the header of one. ".repeat(20));
  const cases: Array<[args: string[], code: number, message: RegExp]> = [
    [[], 2, /^Flag --from is missing; give a file or a postgres:\/\/ URL$/],
    [["--from", "a.db"], 2, /^Flag --to is missing; /],
    [["--to", "a.db"], 2, /^Flag --from is missing; /],
    [["--db", "a.db"], 2, /^Flag --to is missing; /],
    [["--from", "a.db", "--to", "b.db", "--db", "c.db"], 2, /^Give --from and --to, or --db in place of one/],
    [["--from", "a.db", "--to"], 2, /^Flag --to needs a value/],
    [["--from=", "--to", "b.db"], 2, /^Flag --from needs a value/],
    [["--from", "a.db", "--to", "b.db", "--abandon"], 2, /^Flag --abandon goes with --from alone/],
    [["--abandon"], 2, /^Flag --from is missing/],
    [["--from", "a.db", "--abandon"], 3, /^There is no queue in /],
    [["--from", "", "--to", "b.db"], 2, /^Flag --from needs a value/],
    [["--from", "a.db", "--from", "b.db", "--to", "c.db"], 2, /^Flag --from is given twice/],
    [["--form", "a.db", "--to", "c.db"], 2, /^Unknown flag "--form" \(did you mean "--from"\?\)/],
    [["a.db", "b.db"], 2, /^Unexpected argument "a.db"/],
    [["--from", "mysql://a/b", "--to", "b.db"], 2, /^No driver for a "mysql" database/],
    [["--from", "postgres://u:se%cret@h/d", "--to", "b.db"], 2, /^The database URL is not valid/],
    [["--from", "a.db", "--to", "b.db"], 3, /^There is no queue in .*a\.db that could be moved$/],
    [["--from", "a.db", "--to", "a.db"], 3, /^There is no queue in .*a\.db that could be moved$/],
    [["--from", "text", "--to", "b.db"], 5, /text is not a SQLite database$/],
    [["--from", "none/a.db", "--to", "b.db"], 3, /^There is no queue in /],
    [["--from", "postgres://u:secret@127.0.0.1:1/d?connect_timeout=2", "--to", "b.db"], 5, /nothing listens/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await runProgram(["migrate", ...args], { cwd, env: { QUEUECTL_DB: "environment.db" } });
    assert.deepEqual([ended.code, ended.stdout], [code, ""], `${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, /^[^\n]+\n$/);
    assert.match(ended.stderr.trimEnd(), message);
    assert.ok(!ended.stderr.includes("secret"), ended.stderr);
  }
  assert.deepEqual([...Deno.readDirSync(cwd)].map(({ name }) => name), ["text"]);
});

pairTest("--db stands in for either end", [sqlite, sqlite], async ({ from, to, migrate }) => {
  await fillPlace(from);
  assert.match((await migrate("--to", to.url, "--db", from.url)).stdout, /^Moved 9 jobs /);
  assert.match((await migrate("--from", to.url, "--db", from.url)).stdout, /^Moved 9 jobs /);
});

pairTest("a file is the same one under every name", [sqlite, sqlite], async ({ path, from, migrate }) => {
  await fillPlace(from);
  Deno.symlinkSync(from.url, `${path}/link.db`);
  Deno.symlinkSync(`${path}/from`, `${path}/folder`);
  for (
    const name of [
      from.url,
      "from/queuectl.db",
      "from/../from/./queuectl.db",
      "link.db",
      "folder/queuectl.db",
    ]
  ) {
    const { code, stderr } = await migrate("--from", from.url, "--to", name);
    assert.deepEqual([code, /^Both are the same queue: /.test(stderr)], [4, true], `${name}: ${stderr}`);
  }
});

pairTest("a schema is the same one under every URL", [postgres, postgres], async ({ from, migrate }) => {
  await fillPlace(from);
  const url = new URL(from.url);
  const others = ["localhost", "127.0.0.1"].map((host) => {
    url.hostname = host;
    url.searchParams.set("application_name", host);
    return url.href.replaceAll("+", "%20");
  });
  for (const other of others) {
    const { code, stderr } = await migrate("--from", from.url, "--to", other);
    assert.deepEqual([code, /^Both are the same queue: /.test(stderr)], [4, true], stderr);
  }
});

for (const pair of [[sqlite, postgres], [postgres, sqlite]] as const) {
  pairTest("a newer schema is refused on both sides", pair, async ({ path, from, to, migrate }) => {
    await fillPlace(from);
    if (from.url.startsWith("postgres")) {
      const schema = new URL(from.url).searchParams.get("schema");
      await onServer((sql) => sql.unsafe(`UPDATE "${schema}".queue SET version = 999`));
    } else {
      executeOnFile(from.url, "PRAGMA user_version = 999");
    }
    await fillPlace(to);
    for (const [one, other] of [[from.url, `${path}/new.db`], [to.url, from.url]]) {
      const { code, stdout, stderr } = await migrate("--from", one, "--to", other);
      assert.deepEqual([code, stdout], [6, ""], stderr);
      assert.match(stderr, /use a newer queuectl\n$/);
    }
    assert.throws(() => Deno.statSync(`${path}/new.db`), Deno.errors.NotFound);
  });
}

queueTest("a queue moves only when its workers have stopped and its jobs have ended", async (queue) => {
  await queue.enqueue(
    { id: "long", command: steps(note("ran", "ran"), untilFile("go")) },
    { id: "waits", command: "true", priority: -1 },
  );
  const target = `${queue.path}/other.db`;
  const migrate = () => queue.run("migrate", "--from", queue.env.QUEUECTL_DB, "--to", target);
  const refused = async (pattern: RegExp) => {
    const { code, stdout, stderr } = await migrate();
    assert.deepEqual([code, stdout], [4, ""], stderr);
    assert.match(stderr, pattern);
    assert.throws(() => Deno.statSync(target), Deno.errors.NotFound);
  };
  const manager = queue.start();
  // A command that has not begun would be handed back, and run for a second time.
  await waitFor("the command to run", () => queue.read("ran") !== "");
  await refused(
    /^2 managers and workers are at work on the queue in .*: queuectl worker stop --db [^\n]*\n$/,
  );
  const worker = await manager.workerPid();
  await kill(manager.pid);
  await kill(worker);
  await manager.status;
  // They are gone, but what they ran is not.
  await refused(/^1 job of the queue in .* may still run; .*: queuectl worker start --db [^\n]*\n$/);
  queue.touch("go");
  const drain = queue.start("--drain");
  await drain.status;
  const { code, stdout } = await migrate();
  assert.equal(code, 0);
  assert.match(stdout, /^Moved 2 jobs \(2 completed\) /);
  await using store = await openStore(target, { missing: "empty", durable: false });
  assert.deepEqual((await store.attempts("long")).map(({ exitCode }) => exitCode), [0]);
});

queueTest("workers that are gone do not keep a queue from moving", async (queue) => {
  await queue.enqueue({ id: "later", command: "true" });
  await queue.store.cancel(["later"]);
  const manager = queue.start();
  await manager.line(/Worker-1: started$/);
  const worker = await manager.workerPid();
  await kill(manager.pid);
  await kill(worker);
  await manager.status;
  const { code, stdout, stderr } = await queue.run("migrate", "--from", queue.place.url, "--to", "other.db");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Moved 1 job \(1 cancelled\) /);
  const list = await queue.run("worker", "list", "--db", "other.db");
  assert.equal(list.stdout, "No workers running.\n");
});

Deno.test({
  name: "on a terminal a line tells how far it is, and goes",
  ignore: !hasTerminal,
  async fn() {
    await using folder = await temporaryFolder();
    const cwd = folder.path;
    await fillPlace({ url: `${cwd}/a.db` } as Place);
    const executable = Deno.env.get("QUEUECTL_TEST_PROGRAM");
    const main = new URL("../../src/main.ts", import.meta.url).href;
    const program = executable
      ? [executable]
      : [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, main];
    const line = [...program, "migrate", "--from", "a.db", "--to", "b.db"].map(quote).join(" ");
    const { code, stdout } = await new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", line, "/dev/null"],
      cwd,
      env: { SHELL: "/bin/sh" },
      stdin: "null",
      stderr: "null",
    }).output();
    const shown = new TextDecoder().decode(stdout);
    assert.equal(code, 0, shown);
    assert.ok(shown.includes("\r9 of 9 jobs, 0 runs"), JSON.stringify(shown));
    assert.match(shown.replaceAll("\x1b", "ESC"), /\rESC\[KMoved 9 jobs [^\n]+\n$/);
  },
});
