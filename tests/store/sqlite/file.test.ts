/** The database file: made or not, for whom, and named how. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import type { OpenOptions } from "../../../src/store/store.ts";
import { storeProcesses } from "../../helpers/store_processes.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { ids, newJobs, told } from "../suite/harness.ts";

const create: OpenOptions = { missing: "create", durable: true };
const windows = Deno.build.os === "windows";

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("sqlite: opening makes the database, and says so once", async () => {
  await using folder = await temporaryFolder();
  const notified: string[] = [];
  const options = { ...create, notify: (message: string) => notified.push(message) };
  for (let time = 0; time < 3; time++) {
    await using store = await openStore(`${folder.path}/queue.db`, options);
    assert.equal(store.location, await Deno.realPath(`${folder.path}/queue.db`));
    assert.equal(store.spool, `${store.location}.spool`);
  }
  assert.deepEqual(notified, ["Database schema initialized successfully."]);
  assert.deepEqual(names(folder.path), ["queue.db"]);
});

Deno.test("sqlite: an empty file becomes a database", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeFile(`${folder.path}/queue.db`, new Uint8Array());
  await using store = await openStore(`${folder.path}/queue.db`, create);
  await store.enqueue(newJobs("a"));
  assert.deepEqual(ids(await store.list({ limit: 10 })), ["a"]);
});

Deno.test("sqlite: a missing database can be read as an empty one, which leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  for (const path of [`${folder.path}/queue.db`, `${folder.path}/missing/queue.db`]) {
    const notified: string[] = [];
    await using store = await openStore(path, {
      missing: "empty",
      durable: true,
      notify: (message) => notified.push(message),
    });
    assert.deepEqual(await store.list({ limit: 10 }), []);
    assert.equal((await store.counts()).pending, 0);
    assert.deepEqual(await store.settings(), []);
    assert.deepEqual(await store.processes(), []);
    assert.deepEqual((await store.dlqRetry("all")).ids, []);
    assert.equal(store.changed(), false);
    assert.deepEqual(notified, []);
  }
  assert.deepEqual(names(folder.path), []);
});

Deno.test("sqlite: a database that is there is opened, also where a missing one would be empty", async () => {
  await using folder = await temporaryFolder();
  {
    await using store = await openStore(`${folder.path}/queue.db`, create);
    await store.enqueue(newJobs("a"));
  }
  await using store = await openStore(`${folder.path}/queue.db`, { missing: "empty", durable: true });
  assert.deepEqual(ids(await store.list({ limit: 10 })), ["a"]);
});

Deno.test({
  name: "sqlite: any file name is taken as it is",
  ignore: windows,
  async fn() {
    await using folder = await temporaryFolder();
    const odd = [
      "a b.db",
      "é中😀.db",
      "file:x.db",
      "q.db?mode=ro",
      "%41.db",
      "a#b.db",
      "'; --.db",
      ":memory:",
    ];
    for (const name of odd) {
      await using store = await openStore(`${folder.path}/${name}`, create);
      await store.enqueue(newJobs("a"));
    }
    assert.deepEqual(names(folder.path), odd.toSorted());
  },
});

Deno.test({
  name: "sqlite: the database and the files beside it are for their owner alone, whatever the umask",
  ignore: windows,
  async fn() {
    await using folder = await temporaryFolder();
    for (const umask of ["000", "022", "077"]) {
      const [{ modes }] = await storeProcesses(1, `${folder.path}/${umask}.db`, { task: "modes", umask });
      assert.deepEqual(modes, { "": "600", "-wal": "600", "-shm": "600" }, `umask ${umask}`);
    }
  },
});

Deno.test({
  name: "sqlite: a link to a missing database is refused, or what is made is for its owner alone",
  ignore: windows,
  async fn() {
    await using folder = await temporaryFolder();
    const target = `${folder.path}/target.db`;
    await Deno.symlink(target, `${folder.path}/link.db`);
    try {
      await using _store = await openStore(`${folder.path}/link.db`, create);
      assert.equal((await Deno.stat(target)).mode! & 0o777, 0o600);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      told("database", "link.db")(error);
      assert.deepEqual(names(folder.path), ["link.db"]);
    }
  },
});
