/**
 * Damaged files: every command explains it in one line or works on what is sound, and makes nothing worse. Files are
 * SQLite's alone; what is wrong in the rows can be on a server too.
 */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { runCommandLines } from "../helpers/command_lines.ts";
import { assertHandled, type Damaged, damages, makeQueue } from "../helpers/damaged.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { runProgram } from "../helpers/program.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { seededRandom } from "../helpers/random.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { ids, newJobs } from "../store/suite/harness.ts";

for (const [kind, damage] of Object.entries(damages)) {
  Deno.test(`damage: ${kind}`, async () => {
    await using folder = await temporaryFolder();
    const random = seededRandom();
    const expected = await makeQueue(`${folder.path}/whole.db`);
    const whole = await Deno.readFile(`${folder.path}/whole.db`);
    const files: Damaged[] = Array.from({ length: 15 }, (_, round) => ({
      file: `${folder.path}/${round}.db`,
      bytes: damage(whole.slice(), random),
      how: `seed ${random.seed}, round ${round}`,
    }));
    await assertHandled(folder.path, files, expected);
  });
}

/** The database and the WAL of a queue, some of whose jobs are in the WAL alone; and the jobs of both. */
async function makeFiles(folder: string, prefix: string) {
  const file = `${folder}/${prefix}.db`;
  const inDatabase = await makeQueue(file, prefix);
  const database = await Deno.readFile(file);
  await using store = await openStore(file, { missing: "empty", durable: false });
  const inWal = [`${prefix}-new-1`, `${prefix}-new-2`];
  await store.enqueue(newJobs(...inWal));
  // By another program: opening it here would drop the locks of this process.
  const { stdout } = await new Deno.Command("cat", { args: [`${file}-wal`] }).output();
  return { database, wal: stdout, inDatabase, inWal };
}

async function place(file: string, database: Uint8Array, wal: Uint8Array): Promise<void> {
  await Deno.writeFile(file, database, { mode: 0o600 });
  await Deno.writeFile(`${file}-wal`, wal, { mode: 0o600 });
}

Deno.test({
  name: "damage: a WAL that is empty or rubbish does not keep anybody from what the database holds",
  ignore: posixOnly("open files that are replaced"),
  async fn() {
    await using folder = await temporaryFolder();
    const random = seededRandom();
    const { database, inDatabase } = await makeFiles(folder.path, "a");
    for (
      const [number, wal] of [0, 1, 31, 32, 5000, 100_000].map((length) => random.bytes(length)).entries()
    ) {
      const file = `${folder.path}/${number}.db`;
      await place(file, database, wal);
      const [doctor, enqueue, list] = await runCommandLines(
        [["doctor"], ["enqueue", '{"id": "new", "command": "true"}'], ["list", "--json", "--limit", "1000"]]
          .map((args) => ["--db", file, ...args]),
        folder.path,
      );
      const where = `seed ${random.seed}, ${wal.length} bytes`;
      assert.deepEqual([doctor.code, enqueue.code, list.code], [0, 0, 0], where);
      assert.deepEqual(ids(JSON.parse(list.stdout)), [...inDatabase, "new"], where);
    }
  },
});

Deno.test({
  name: "damage: an empty database beside a WAL that is not empty is refused, and both stay as they are",
  ignore: posixOnly("open files that are replaced"),
  async fn() {
    await using folder = await temporaryFolder();
    const { wal } = await makeFiles(folder.path, "a");
    const file = `${folder.path}/empty.db`;
    await place(file, new Uint8Array(), wal);
    const commands = [["list"], ["status"], ["doctor"], ["enqueue", '{"command": "true"}']];
    for (
      const result of await runCommandLines(commands.map((args) => ["--db", file, ...args]), folder.path)
    ) {
      assert.equal(result.code, 5, JSON.stringify(result));
      assert.match(result.stderr || result.stdout, /^[^\n]*empty\.db[^\n]*\n$/);
    }
    assert.equal(Deno.statSync(file).size, 0);
    assert.deepEqual(await Deno.readFile(`${file}-wal`), wal);
  },
});

Deno.test({
  name: "damage: the WAL of another database, which SQLite cannot tell, is found by doctor",
  ignore: posixOnly("open files that are replaced"),
  async fn() {
    await using folder = await temporaryFolder();
    const [a, b] = [await makeFiles(folder.path, "a"), await makeFiles(folder.path, "b")];
    for (const [name, { database }, { wal }] of [["ab", a, b], ["ba", b, a]] as const) {
      const file = `${folder.path}/${name}.db`;
      await place(file, database, wal);
      const commands = [["doctor"], ["list"], ["status"], ["dlq", "list"], ["worker", "list"]];
      const results = await runCommandLines(commands.map((args) => ["--db", file, ...args]), folder.path);
      assert.equal(results[0].code, 5, JSON.stringify(results[0]));
      for (const { code, stderr } of results) {
        assert.ok(code === 0 || code === 5, stderr);
        assert.match(stderr, /^[^\n]*\n?$/);
      }
    }
  },
});

queueTest("damage: a queue that is always there and is missing is told in one line", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" });
  for (const name of ["default", ""]) {
    await queue.place.query(`DELETE FROM queues WHERE name = '${name}'`);
    // A queue that is missing may not matter.
    for (const command of [["status"], ["queue", "list"], ["show", "a"], ["list"], ["pause"]]) {
      const { code, stderr } = await queue.run(...command);
      assert.ok(code === 0 || code === 5, `${command.join(" ")}: status ${code}, ${stderr}`);
      if (code !== 0) assert.match(stderr, /^[^\n]*damaged[^\n]*\n$/);
    }
  }
  assert.match((await queue.run("doctor")).stdout, /2 queues are missing that are always there/);
  for (const command of ["status", "pause"]) assert.equal((await queue.run(command)).code, 5, command);
});

queueTest("damage: jobs that cannot be read do not keep the others from running", async (queue) => {
  const damaged = ['{"NAME', '{"NAME": 5}', '["NAME"]', "5"];
  await queue.enqueue({ id: "before", command: "true" });
  for (const [number, env] of damaged.entries()) {
    const id = `damaged-${number}`;
    await queue.enqueue({ id, command: "touch ran", env: { NAME: "value" }, maxRetries: 0 });
    await queue.place.query(`UPDATE jobs SET env = '${env}' WHERE id = '${id}'`);
  }
  for (const [number, rules] of ['{"jitter', '["jitter"]', "5"].entries()) {
    const id = `damaged-${damaged.push(rules) - 1}`;
    await queue.enqueue({ id, command: "touch ran", retryRules: { jitter: 1 }, maxRetries: 0 });
    await queue.place.query(`UPDATE jobs SET retry_rules = '${rules}' WHERE id = '${id}'`);
    assert.match(
      (await queue.run("doctor")).stdout,
      new RegExp(`${number + 1} jobs have rules of retries that`),
    );
  }
  await queue.enqueue({ id: "after", command: "true" });
  assert.equal((await queue.run("doctor")).code, 5);
  const manager = queue.start();
  for (const id of ["before", "after"]) {
    await manager.line(new RegExp(`job ${id} completed successfully$`));
  }
  for (const number of damaged.keys()) {
    const { state, lastError } = await queue.job(`damaged-${number}`);
    assert.equal(state, "dead");
    assert.match(lastError ?? "", /damaged/);
  }
  assert.equal(queue.read("ran"), "");
});

queueTest("damage: a reader that never ends keeps nobody from working", async (queue) => {
  await queue.enqueue({ id: "first", command: "true" });
  const reader = await queue.place.begin("read");
  const manager = queue.start("--count", "2");
  const numbers = Array.from({ length: 60 }, (_, number) => String(number));
  await queue.enqueue(...numbers.map((id) => ({ id, command: `echo ${"x".repeat(2000)}` })));
  const enqueued = await queue.run("enqueue", '{"id": "program", "command": "true"}');
  assert.equal(enqueued.code, 0);
  await waitFor("all jobs to complete", async () => (await queue.store.counts()).completed === 62);
  assert.equal((await queue.run("doctor")).code, 0);
  // What it sees is of the moment when it began.
  assert.deepEqual(await reader.query("SELECT count(*) AS jobs FROM jobs"), [{ jobs: 1 }]);
  await reader.end("ROLLBACK");
  assert.deepEqual(manager.lines.filter((line) => /busy|trying again/.test(line)), []);
});

Deno.test("damage: worker start refuses a database that it cannot open, in one line", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  await makeQueue(file);
  const bytes = (await Deno.readFile(file)).fill(0xff, 0, 4096);
  await Deno.writeFile(file, bytes);
  const { code, stderr } = await runProgram(["worker", "start"], { cwd: folder.path });
  assert.equal(code, 5);
  assert.match(stderr, /^[^\n]*queuectl\.db[^\n]*\n$/);
  assert.deepEqual(await Deno.readFile(file), bytes);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["queuectl.db"]);
});
