/** Files that cannot be used: each is refused in one line, and left as it is. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { posixOnly } from "../../helpers/left_out.ts";
import { executeOnFile, queryFile } from "../../helpers/sqlite_database.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { newJob, told } from "../suite/harness.ts";

const missings = ["create", "empty"] as const;

/** A sound database of some forty pages with 500 jobs. */
async function makeDatabase(file: string): Promise<void> {
  await using store = await openStore(file, { missing: "create", durable: false });
  const command = "x".repeat(100);
  await store.enqueue(Array.from({ length: 500 }, (_, number) => newJob(`job-${number}`, { command })));
}

/** Opens and reads everything, which has to be refused in the right words; the file stays the same. */
async function assertRefused(file: string, ...expected: Parameters<typeof told>): Promise<void> {
  const before = await Deno.readFile(file);
  for (const missing of missings) {
    await assert.rejects(openAndRead(file, missing), told(...expected));
    assert.deepEqual(await Deno.readFile(file), before);
  }
}

async function openAndRead(file: string, missing: typeof missings[number]): Promise<void> {
  await using store = await openStore(file, { missing, durable: false });
  await store.list({ limit: 1000 });
}

Deno.test("sqlite: a folder is refused", async () => {
  await using folder = await temporaryFolder();
  for (const missing of missings) {
    await assert.rejects(openAndRead(folder.path, missing), told("database", folder.path, "is a folder"));
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("sqlite: a path whose folder does not exist is refused", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/missing/queue.db`;
  await assert.rejects(openAndRead(path, "create"), told("database", path, "does not exist"));
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("sqlite: a path below a file is refused", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "text");
  await assert.rejects(openAndRead(`${folder.path}/file/queue.db`, "create"), told("database", "queue.db"));
});

Deno.test({
  name: "sqlite: a device is refused, and not called a folder",
  ignore: posixOnly("devices"),
  async fn() {
    await assert.rejects(openAndRead("/dev/null", "create"), (error) => {
      told("database", "/dev/null")(error);
      return !String(error).includes("is a folder");
    });
  },
});

Deno.test({
  name: "sqlite: a place that Deno keeps us from is refused, without its advice",
  ignore: Deno.build.os !== "linux",
  async fn() {
    for (
      const path of [
        "/proc/queue.db",
        "/dev/queue.db",
        "/sys/queue.db",
        "/proc/self/environ",
        "/dev/shm/q.db",
      ].filter(isKeptFromUs)
    ) {
      for (const missing of missings) {
        await assert.rejects(openAndRead(path, missing), (error) => {
          told("database", path, "cannot be used")(error);
          return !String(error).includes("--allow");
        });
      }
    }
  },
});

Deno.test("sqlite: a text file is refused", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["hello\n", "# notes\n".repeat(10_000)]) {
    const file = `${folder.path}/notes.txt`;
    await Deno.writeTextFile(file, text);
    await assertRefused(file, "database", file, "not a SQLite database");
  }
});

Deno.test("sqlite: the database of another program is refused", async () => {
  await using folder = await temporaryFolder();
  const programs = [
    "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')",
    "CREATE TABLE jobs (id TEXT PRIMARY KEY, command TEXT)",
    "CREATE VIEW summary AS SELECT 1",
    "PRAGMA application_id = 12345",
    "PRAGMA user_version = 1",
  ];
  for (const [number, sql] of programs.entries()) {
    const file = `${folder.path}/${number}.db`;
    executeOnFile(file, sql);
    await assertRefused(file, "database", file, "another program");
  }
});

Deno.test("sqlite: a newer schema is refused", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  await makeDatabase(file);
  executeOnFile(file, "PRAGMA user_version = 999");
  await assertRefused(file, "newer_schema", file, "999", "newer queuectl");
  assert.deepEqual(queryFile(file, "SELECT count(*) AS jobs FROM jobs"), [{ jobs: 500 }]);
});

Deno.test("sqlite: a file whose schema number is damaged is refused", async () => {
  await using folder = await temporaryFolder();
  for (const version of [0, -1]) {
    const file = `${folder.path}/${version}.db`;
    await makeDatabase(file);
    executeOnFile(file, `PRAGMA user_version = ${version}`);
    await assertRefused(file, "database", file);
  }
});

Deno.test("sqlite: a truncated file is refused", async () => {
  await using folder = await temporaryFolder();
  const whole = `${folder.path}/whole.db`;
  await makeDatabase(whole);
  const bytes = await Deno.readFile(whole);
  for (const length of [50, 100, 1000, 4096, 8192, bytes.length >> 1, bytes.length - 4096]) {
    const file = `${folder.path}/${length}.db`;
    await Deno.writeFile(file, bytes.subarray(0, length));
    await assertRefused(file, "database", file);
  }
});

Deno.test("sqlite: a file with damaged pages is refused", async () => {
  await using folder = await temporaryFolder();
  const whole = `${folder.path}/whole.db`;
  await makeDatabase(whole);
  const bytes = await Deno.readFile(whole);
  for (const [from, to] of [[0, 16], [100, 4096], [4096, bytes.length]]) {
    for (const filler of [0, 0x5a, 0xff]) {
      const file = `${folder.path}/${from}-${filler}.db`;
      await Deno.writeFile(file, bytes.slice().fill(filler, from, to));
      await assertRefused(file, "database", file);
    }
  }
});

/** An older Deno leaves these places to the system. */
function isKeptFromUs(path: string): boolean {
  try {
    Deno.statSync(path);
  } catch (error) {
    return error instanceof Deno.errors.NotCapable;
  }
  return false;
}
