/** Files of a queue that other users have made, could make or could write: refused by everything, and told by `doctor`. */

import assert from "node:assert/strict";
import { QueuectlError } from "../../src/base/errors.ts";
import { removeIfThere, statIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import type { OpenOptions } from "../../src/store/store.ts";
import { makeSpool } from "../../src/worker/spool/spool.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { runProgram } from "../helpers/program.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { giveAway, isRoot } from "../helpers/resources.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { runWrapped, shell } from "../helpers/wrapped_program.ts";
import { newJob } from "../store/suite/harness.ts";

const posix = () => ({ ignore: posixOnly("owners of files") });
const asRoot = () => ({ ignore: leftOut(!isRoot, "Only where root runs the tests: files of another user") });

/** A user that is nobody else. */
const other = 54_321;
const logs = ["-wal", "-shm", "-journal"];
const create: OpenOptions = { missing: "create", durable: false };

/** A queue with one job, which would make the file `ran`. */
async function makeQueue(file: string): Promise<void> {
  await using store = await openStore(file, create);
  await store.enqueue([newJob("a", { command: "touch ran" })]);
}

const allCommands = [["list"], ["enqueue", '{"command": "touch ran"}'], ["worker", "start", "--drain"]];

/** That every command ends with status 5 and one line, which has these words, and that nothing was run. */
async function assertRefused(path: string, words: RegExp, commands = allCommands): Promise<void> {
  for (const args of commands) {
    const { code, stdout, stderr } = await runProgram(args, { cwd: path });
    assert.deepEqual([code, stdout], [5, ""], `${args}: ${stderr}`);
    assert.match(stderr, words);
    assert.match(stderr, /^[^\n]+: [^\n]+, or use it all the same with --allow-shared-db\n$/);
  }
  assert.throws(() => Deno.statSync(`${path}/ran`), Deno.errors.NotFound);
  // Without a database there is nothing to examine.
  if (!statIfThere(`${path}/queuectl.db`)) return;
  const { code, stdout } = await runProgram(["doctor"], { cwd: path });
  assert.equal(code, 5, stdout);
  assert.match(stdout, new RegExp(`^error .*${words.source}`, "m"));
}

Deno.test({
  name: "other users: files of theirs beside a database are refused, and not touched",
  ...asRoot(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    await makeQueue(file);
    const bytes = await Deno.readFile(file);
    for (const suffix of logs) {
      await Deno.writeTextFile(`${file}${suffix}`, "");
      await Deno.chown(`${file}${suffix}`, other, other);
      const words = new RegExp(
        `queuectl\\.db${suffix} of the database belongs to another user \\(uid ${other}\\)`,
      );
      await assertRefused(folder.path, words);
      // Where there is no database yet, they would be the ones of a new one.
      await Deno.rename(file, `${file}.away`);
      await assertRefused(folder.path, words, allCommands.slice(1));
      assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
      await Deno.rename(`${file}.away`, file);
      assert.equal((await Deno.stat(`${file}${suffix}`)).uid, other);
      await Deno.remove(`${file}${suffix}`);
    }
    assert.deepEqual(await Deno.readFile(file), bytes);
    await Deno.chown(file, other, other);
    await assertRefused(
      folder.path,
      /queuectl\.db belongs to another user \(uid 54321\), whose jobs would run as you/,
    );
    const { code } = await runProgram(["--allow-shared-db", "worker", "start", "--drain"], {
      cwd: folder.path,
    });
    assert.equal(code, 0);
    assert.ok(Deno.statSync(`${folder.path}/ran`).isFile);
  },
});

Deno.test({
  name: "other users: a file of theirs that comes after the first look is found by the second",
  ...asRoot(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    await makeQueue(file);
    const plant = () => {
      // The others SQLite would make its own where root runs it.
      Deno.writeTextFileSync(`${file}-journal`, "");
      Deno.chownSync(`${file}-journal`, other, other);
    };
    await assert.rejects(openStore(file, { ...create, inspect: plant }), (error) => {
      assert.ok(error instanceof QueuectlError);
      assert.match(error.message, /-journal of the database belongs to another user/);
      return true;
    });
  },
});

Deno.test({
  name: "other users: links in place of the files beside a database are refused",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    await makeQueue(file);
    await Deno.writeTextFile(`${folder.path}/target`, "");
    for (const suffix of logs) {
      await Deno.symlink(`${folder.path}/target`, `${file}${suffix}`);
      await assertRefused(folder.path, new RegExp(`queuectl\\.db${suffix} of the database is a link`));
      await Deno.remove(`${file}${suffix}`);
      await Deno.writeTextFile(`${file}${suffix}`, "");
      await Deno.chmod(`${file}${suffix}`, 0o666);
      await assertRefused(
        folder.path,
        new RegExp(`queuectl\\.db${suffix} of the database can be written by other`),
        [
          ["list"],
        ],
      );
      // It is part of the database, and goes with the last one who used that.
      removeIfThere(`${file}${suffix}`);
    }
    assert.equal(await Deno.readTextFile(`${folder.path}/target`), "");
  },
});

Deno.test({
  name:
    "other users: a link of one's own to a database is one's own affair, and what it leads to is looked at",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.mkdir(`${folder.path}/real`);
    const file = `${folder.path}/real/real.db`;
    await makeQueue(file);
    await Deno.symlink("real/real.db", `${folder.path}/queuectl.db`);
    assert.equal((await runProgram(["list"], { cwd: folder.path })).code, 0);
    await Deno.symlink("/dev/null", `${file}-journal`);
    await assertRefused(folder.path, /real\.db-journal of the database is a link/);
    await Deno.remove(`${file}-journal`);
    await Deno.chmod(`${folder.path}/real`, 0o777);
    await assertRefused(folder.path, /real can be written by every user/);
    await Deno.chmod(`${folder.path}/real`, 0o755);
    assert.equal((await runProgram(["worker", "start", "--drain"], { cwd: folder.path })).code, 0);
    if (!isRoot) return;
    await Deno.remove(`${folder.path}/ran`);
    const { success } = await new Deno.Command("chown", {
      args: ["-h", String(other), `${folder.path}/queuectl.db`],
    }).output();
    assert.ok(success);
    await assertRefused(folder.path, /queuectl\.db is a link of another user/);
  },
});

Deno.test({
  name: "other users: a folder that everybody can write is refused without the sticky bit, a group's is not",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    const [open, sticky, group] = [0o777, 0o1777, 0o775].map((mode) => {
      const path = `${folder.path}/${mode.toString(8)}`;
      Deno.mkdirSync(path);
      Deno.chmodSync(path, mode);
      return path;
    });
    const words = /777 can be written by every user, who could put another database there/;
    const made = [...allCommands.slice(1), ["enqueue", "--", "true"]];
    for (const args of made) {
      const { code, stderr } = await runProgram(args, { cwd: open });
      assert.deepEqual([code, words.test(stderr)], [5, true], stderr);
    }
    assert.deepEqual([...Deno.readDirSync(open)], [], "nothing was made");
    for (const cwd of [sticky, group]) {
      for (const args of allCommands) {
        const { code, stderr } = await runWrapped({ wrapper: shell("umask 002"), args, cwd, env: {} });
        assert.equal(code, 0, stderr);
      }
      assert.ok(Deno.statSync(`${cwd}/ran`).isFile);
    }
    await Deno.remove(`${group}/ran`);
    await Deno.chmod(group, 0o777);
    await assertRefused(group, /can be written by every user, who could put another database there/);
  },
});

Deno.test({
  name: "other users: a spool of theirs, or a file of theirs in it, is refused by workers",
  ...asRoot(),
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queuectl.db`;
    const spool = `${file}.spool`;
    await makeQueue(file);
    await Deno.mkdir(spool, { mode: 0o700 });
    await Deno.chown(spool, other, other);
    await assertRefused(folder.path, /spool for running commands belongs to another user \(uid 54321\)/);
    await Deno.chown(spool, 0, 0);
    await Deno.chmod(spool, 0o770);
    await assertRefused(folder.path, /spool for running commands can be written by other users/);
    await Deno.chmod(spool, 0o700);
    // A result that was made beforehand for the first run of the job.
    await Deno.writeTextFile(`${spool}/1.1.status`, "given up\n");
    await Deno.chown(`${spool}/1.1.status`, other, other);
    const start = [["worker", "start", "--drain"]];
    await assertRefused(folder.path, /1\.1\.status of a run belongs to another user/, start);
    await Deno.remove(`${spool}/1.1.status`);
    await Deno.symlink("/dev/null", `${spool}/1.1.out`);
    await assertRefused(folder.path, /1\.1\.out of a run is a link/, start);
    const { code } = await runProgram(["--allow-shared-db", "worker", "start", "--drain"], {
      cwd: folder.path,
    });
    assert.equal(code, 0);
  },
});

// On a server too the spool is a folder of this host.
Deno.test({
  name: "other users: a spool is made, or is one's own",
  ...posix(),
  async fn() {
    await using folder = await temporaryFolder();
    const spool = `${folder.path}/1.spool`;
    makeSpool(spool);
    await Deno.symlink(spool, `${folder.path}/own`);
    makeSpool(`${folder.path}/own`);
    await Deno.chmod(spool, 0o720);
    assert.throws(() => makeSpool(spool), { code: "database", message: /can be written by other users/ });
    makeSpool(spool, true);
  },
});

queueTest(
  "other users: root and a user refuse each other's databases",
  async (queue) => {
    const foreign = `${queue.path}/foreign.db`;
    const { wrapper, env } = await giveAway(queue);
    await makeQueue(foreign);
    const asUser = (...args: string[]) => runWrapped({ wrapper, args, cwd: queue.path, env });
    const own = await asUser("enqueue", '{"id": "own", "command": "true"}');
    assert.deepEqual([own.code, own.stdout], [0, "Job own inserted.\n"], own.stderr);
    const refused = await asUser("--db", foreign, "list");
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /^[^\n]*foreign\.db (cannot be opened|belongs to root)[^\n]*\n$/);
    const byRoot = await queue.run("list");
    assert.equal(byRoot.code, 5);
    assert.match(byRoot.stderr, /^[^\n]*queuectl\.db belongs to another user \(uid \d+\)[^\n]*\n$/);
    assert.equal((await asUser("worker", "start", "--drain")).code, 0);
    assert.equal((await queue.job("own")).state, "completed");
  },
  {
    on: sqliteAlone,
    ignore: leftOut(!isRoot, "Only where root runs the tests: another user"),
  },
);
