/** A database by other names: it has one spool, and a name that has a log of its own is refused. */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import type { OpenOptions } from "../../src/store/store.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { runProgram } from "../helpers/program.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { canMount } from "../helpers/resources.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { queryFile } from "../helpers/sqlite_database.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { runWrapped, shell } from "../helpers/wrapped_program.ts";
import { newJob, told } from "../store/suite/harness.ts";

// A database in files alone can be named by links.
queueTest(
  "by whatever name a database is given: what runs is adopted, and shown by the others",
  async (queue) => {
    const file = queue.place.url;
    const folder = `${queue.path}/folder`;
    await Deno.symlink(queue.path, folder);
    await Deno.symlink(file, `${queue.path}/link.db`);
    await Deno.symlink(`${folder}/link.db`, `${queue.path}/far.db`);
    const name = file.slice(file.lastIndexOf("/") + 1);
    const names = [file, `${queue.path}/link.db`, `${folder}/${name}`, "link.db", "far.db"];
    await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), "echo shown", untilFile("go")) });
    for (const [index, name] of names.entries()) {
      const manager = queue.start("--db", name);
      if (index === 0) await waitFor("the command to run", () => queue.read("ran") !== "");
      else await manager.line(/Worker-1: adopted job a \(attempt 1\)$/);
      const other = names[(index + 1) % names.length];
      assert.equal((await queue.run("--db", other, "logs", "a")).stdout, "shown\n", `${other} by ${name}`);
      assert.match((await queue.run("--db", other, "doctor")).stdout, /^ok .*at work on 1 job$/m);
      // Its worker last: it would be replaced.
      const worker = await manager.workerPid();
      await kill(manager.pid);
      await kill(worker);
    }
    const last = queue.start("--db", "link.db");
    await last.line(/Worker-1: adopted job a/);
    queue.touch("go");
    await queue.reaches("a", "completed");
    assert.deepEqual([queue.read("ran"), await queue.outcomes("a")], ["ran\n", [["exited", 0]]]);
    assert.deepEqual(
      [...Deno.readDirSync(queue.path)].filter((entry) => entry.name.endsWith(".spool")).length,
      1,
    );
  },
  { on: sqliteAlone, ignore: posixOnly("symbolic links without a right") },
);

const create: OpenOptions = { missing: "create", durable: false };

/** A queue with one job. */
async function makeQueue(file: string): Promise<void> {
  await using store = await openStore(file, create);
  await store.enqueue([newJob("a", { command: "touch ran" })]);
}

const jobs = async (file: string, options: Partial<OpenOptions> = {}) => {
  await using store = await openStore(file, { ...create, ...options });
  return (await store.list({ limit: 10 })).map(({ id }) => id);
};

Deno.test("hard links: a database with two names is refused by both, unless that is allowed, and doctor tells", async () => {
  await using folder = await temporaryFolder();
  const [file, other] = ["queuectl.db", "other.db"].map((name) => `${folder.path}/${name}`);
  await makeQueue(file);
  await Deno.link(file, other);
  const words = /has 2 names \(hard links\)/;
  for (const path of [file, other]) {
    for (const args of [["list"], ["enqueue", '{"command": "true"}'], ["worker", "start", "--drain"]]) {
      const { code, stdout, stderr } = await runProgram(["--db", path, ...args], { cwd: folder.path });
      assert.deepEqual([code, stdout], [5, ""], `${args}: ${stderr}`);
      assert.match(stderr, words);
      assert.match(stderr, /^[^\n]+, or use it all the same with --allow-linked-db\n$/);
    }
    const { code, stdout } = await runProgram(["--db", path, "doctor"], { cwd: folder.path });
    assert.equal(code, 5);
    assert.match(stdout, new RegExp(`^error .*${words.source}`, "m"));
  }
  const env = { QUEUECTL_ALLOW_LINKED_DB: "1" };
  assert.equal((await runProgram(["--db", other, "enqueue", "true"], { cwd: folder.path, env })).code, 0);
  // Its workers are told too.
  const args = ["--db", other, "--allow-linked-db", "worker", "start", "--drain"];
  assert.equal((await runProgram(args, { cwd: folder.path })).code, 0);
  assert.ok(Deno.statSync(`${folder.path}/ran`).isFile);
  const allowed = await runProgram(["--db", other, "--allow-linked-db", "doctor"], { cwd: folder.path });
  assert.match(allowed.stdout, new RegExp(`^error .*${words.source}[^]*^ok    The data is sound$`, "m"));
  await Deno.remove(file);
  assert.equal((await jobs(other)).length, 2);
});

Deno.test({
  name: "mounts: a database that is mounted alone is refused, one in a folder that is mounted is not",
  ignore: leftOut(!canMount, "Only where root runs the tests: mounts"),
  async fn() {
    await using folder = await temporaryFolder();
    const { path } = folder;
    await makeQueue(`${path}/queuectl.db`);
    // Not only in another folder: in the same one neither device nor folder tells.
    const mounts = [`${path}/other folder/q.db`, `${path}/beside.db`];
    await Deno.mkdir(`${path}/other folder`);
    await Deno.mkdir(`${path}/mounted`);
    for (const mount of mounts) {
      await Deno.writeTextFile(mount, "");
      const wrapper = ["unshare", "--mount", ...shell(`mount --bind ${path}/queuectl.db '${mount}'`)];
      const run = (...args: string[]) =>
        runWrapped({ wrapper, args: ["--db", mount, ...args], cwd: path, env: {} });
      for (const args of [["list"], ["enqueue", '{"command": "true"}'], ["worker", "start", "--drain"]]) {
        const { code, stdout, stderr } = await run(...args);
        assert.deepEqual([code, stdout], [5, ""], `${args}: ${stderr}`);
        assert.match(
          stderr,
          /^The database [^\n]+ is mounted as a file alone[^\n]+ with --allow-linked-db\n$/,
        );
      }
      const { code, stdout } = await run("doctor");
      assert.equal(code, 5);
      assert.match(stdout, /^error .* is mounted as a file alone/m);
      assert.match((await run("--allow-linked-db", "list")).stdout, /^a /m);
      // By its own name it is at its place as before.
      const own = await runWrapped({ wrapper, args: ["list"], cwd: path, env: {} });
      assert.equal(own.code, 0, own.stderr);
    }
    const wrapper = ["unshare", "--mount", ...shell(`mount --bind ${path} ${path}/mounted`)];
    const args = ["--db", `${path}/mounted/queuectl.db`, "enqueue", "true"];
    assert.equal((await runWrapped({ wrapper, args, cwd: path, env: {} })).code, 0);
    assert.equal((await jobs(`${path}/queuectl.db`)).length, 2);
  },
});

Deno.test({
  name:
    "mounts: they are looked at where a file was not seen before, and by those who make jobs once for each place",
  ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: mounts of files"),
  async fn() {
    await using folder = await temporaryFolder();
    const [first, second] = ["first", "second"].map((name) => `${folder.path}/${name}`);
    await Deno.mkdir(first);
    await makeQueue(`${first}/queuectl.db`);
    const noted = (path: string) =>
      queryFile(`${path}/queuectl.db`, "SELECT place FROM places").map(({ place }) => place);
    const placeIn = (path: string) => {
      const { dev, ino } = Deno.statSync(path);
      return `${dev}:${ino}/queuectl.db`;
    };
    assert.deepEqual(noted(first), [placeIn(first)]);
    await Deno.mkdir(second);
    await Deno.rename(`${first}/queuectl.db`, `${second}/queuectl.db`);
    await jobs(`${second}/queuectl.db`, { missing: "empty" });
    assert.deepEqual(noted(second), [placeIn(first)]);
    await jobs(`${second}/queuectl.db`);
    assert.deepEqual(noted(second), [placeIn(second)]);
  },
});

Deno.test({
  name: "a link to a database whose file is empty while its log is not is refused as the file is",
  ignore: posixOnly("symbolic links without a right"),
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.mkdir(`${folder.path}/real`);
    const file = `${folder.path}/real/queuectl.db`;
    await Deno.writeTextFile(file, "");
    await Deno.writeTextFile(`${file}-wal`, "log");
    await Deno.symlink(file, `${folder.path}/link.db`);
    for (const path of [file, `${folder.path}/link.db`]) {
      await assert.rejects(openStore(path, create), told("database", file, "is empty or missing"));
    }
  },
});
