/** A copy of a database in which jobs run: it never adopts nor ends what runs for the other. */

import assert from "node:assert/strict";
import { readIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill, killAllWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { onServer, postgresServer } from "../helpers/postgres_database.ts";
import { startCluster } from "../helpers/postgres_cluster.ts";
import { ownDatabase } from "../helpers/own_database.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile } from "../helpers/shell_commands.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { startManager } from "../helpers/manager.ts";
import { environment } from "../helpers/program_test.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { jobById, newJob } from "../store/suite/harness.ts";

/** Has a job running, and copies all files of the queue, those of the spool too; gives the copy. */
async function copyWhileRunning(queue: Queue): Promise<string> {
  await queue.store.setSetting("lease", `${shortLease}ms`);
  await queue.enqueue({ id: "a", command: steps(note("ran", "ran"), untilFile("go")), maxRetries: 0 });
  queue.start();
  await waitFor("the command to run", () => queue.read("ran") !== "");
  await Deno.mkdir(`${queue.path}/copy`);
  for (const { name, isFile } of Deno.readDirSync(queue.path)) {
    if (!name.startsWith("queuectl.db")) continue;
    if (isFile) Deno.copyFileSync(`${queue.path}/${name}`, `${queue.path}/copy/${name}`);
  }
  await Deno.mkdir(`${queue.path}/copy/queuectl.db.spool`);
  for (const name of queue.spooled()) {
    Deno.copyFileSync(`${queue.spool}/${name}`, `${queue.path}/copy/queuectl.db.spool/${name}`);
  }
  return `${queue.path}/copy/queuectl.db`;
}

queueTest(
  "a copied queue finds what ran to be lost, its stop ends, and the first one's job ends by itself",
  async (queue) => {
    const copy = await copyWhileRunning(queue);
    const second = queue.start("--db", copy);
    await second.line(/Worker-1: job a moved to DLQ$/);
    const stopped = await queue.run("--db", copy, "worker", "stop", "--now");
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal((await second.status).code, 0);
    {
      await using store = await openStore(copy, { missing: "empty", durable: false });
      assert.deepEqual((await store.attempts("a")).map(({ outcome }) => outcome), ["lost"]);
      assert.match((await jobById(store, "a")).lastError ?? "", /started for another database/);
    }
    queue.touch("go");
    await queue.reaches("a", "completed");
    assert.deepEqual([queue.read("ran"), await queue.outcomes("a")], ["ran\n", [["exited", 0]]]);
  },
  { on: sqliteAlone },
);

queueTest("a queue whose folder was moved adopts what runs", async (queue) => {
  await Deno.mkdir(`${queue.path}/first`);
  const [before, after] = ["first", "second"].map((name) => `${queue.path}/${name}/queuectl.db`);
  const command = steps(note("ran", "ran"), untilFile("go"));
  await queue.run("--db", before, "enqueue", "--id", "a", "--max-retries", "0", command);
  const first = queue.start("--db", before);
  await waitFor("the command to run", () => queue.read("ran") !== "");
  const worker = await first.workerPid();
  await kill(first.pid);
  await kill(worker);
  await Deno.rename(`${queue.path}/first`, `${queue.path}/second`);
  const second = queue.start("--db", after);
  await second.line(/Worker-1: adopted job a \(attempt 1\)$/);
  // It has no place for its exit status any more.
  queue.touch("go");
  await second.line(/Worker-1: job a moved to DLQ$/);
  assert.equal(queue.read("ran"), "ran\n");
}, { on: sqliteAlone, ignore: posixOnly("files that are open can be moved") });

Deno.test({
  name: "postgres: what ran when a server was copied, and has ended since, is lost on the copy and counts",
  ignore: postgresServer === undefined,
  async fn() {
    await using original = await startCluster();
    assert.ok(original);
    await using folder = await temporaryFolder();
    const [env, read] = [
      (url: string) => environment(folder.path, url),
      (name: string) => readIfThere(`${folder.path}/${name}`) ?? "",
    ];
    await using store = await openStore(original.url, { missing: "create", durable: false });
    await store.setSetting("lease", `${shortLease}ms`);
    const command = steps(note("ran", "ran"), untilFile("go"));
    await store.enqueue([newJob("a", { command, cwd: folder.path, maxRetries: 0 })]);
    const first = startManager(["--drain"], folder.path, env(original.url));
    try {
      await waitFor("the command to run", () => read("ran") !== "");
      await using server = await startCluster(undefined, original);
      Deno.writeTextFileSync(`${folder.path}/go`, "");
      assert.equal((await first.status).code, 0, first.lines.join("\n"));
      const second = startManager(["--drain"], folder.path, env(server!.url));
      await second.status;
      await using copy = await openStore(server!.url, { missing: "empty", durable: false });
      const outcomes = async (of: typeof copy) => (await of.attempts("a")).map(({ outcome }) => outcome);
      assert.deepEqual([await outcomes(store), await outcomes(copy), read("ran")], [
        ["exited"],
        ["lost"],
        "ran\n",
      ]);
    } finally {
      await killAllWith(folder.path);
    }
  },
});

Deno.test({
  name: "a database that is restored on another server has another spool there",
  ignore: postgresServer === undefined,
  async fn() {
    await using server = await startCluster();
    assert.ok(server);
    await using database = await ownDatabase();
    await onServer((sql) => sql.unsafe(`CREATE DATABASE ${database.name}`), server.url);
    const restored = new URL(server.url);
    restored.pathname = `/${database.name}`;
    const spoolOf = async (url: string) => {
      await using store = await openStore(url, { missing: "create", durable: false });
      return store.spool;
    };
    const spools = [await spoolOf(database.url), await spoolOf(restored.href)];
    const [{ identity }] = await database.query("SELECT identity FROM queuectl.queue");
    await onServer((sql) => sql.unsafe(`UPDATE queuectl.queue SET identity = '${identity}'`), restored.href);
    assert.equal(await spoolOf(database.url), spools[0]);
    assert.notEqual(await spoolOf(restored.href), spools[0]);
    // Also where the server does not tell which one it is, and so its databases have to tell it.
    const role = await database.role();
    await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA queuectl TO ${role.name};
      GRANT USAGE ON SCHEMA queuectl TO ${role.name};
      REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC`);
    await using store = await openStore(role.url, { missing: "empty", durable: false, allowShared: true });
    assert.ok(store.spool);
  },
});
