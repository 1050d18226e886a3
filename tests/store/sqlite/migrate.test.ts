/** Making the schema while others make it too. */

import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { connect } from "../../../src/store/sqlite/database.ts";
import { openStore } from "../../../src/store/open.ts";
import { migrate } from "../../../src/store/sqlite/migrate.ts";
import { migrations } from "../../../src/store/sqlite/migrations.ts";
import { applicationId, schemaVersion } from "../../../src/store/sqlite/schema.ts";
import { executeOnFile } from "../../helpers/sqlite_database.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { assertCounted } from "../suite/harness.ts";

const schema = `BEGIN IMMEDIATE; ${
  migrations.join(";")
}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}; COMMIT`;

Deno.test("sqlite: the version of the schema is the number of its steps", () => {
  assert.equal(schemaVersion, migrations.length);
});

/** The connection, which calls `before` with every statement that is about to be prepared. */
function watched(connection: DatabaseSync, before: (sql: string) => void): DatabaseSync {
  return new Proxy(connection, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]) => {
        if (name === "prepare") before(String(parameters[0]));
        return value.apply(target, parameters);
      };
    },
  });
}

Deno.test("sqlite: a database that another process makes between two looks at it is no foreign one", async () => {
  // Each look of the first ones that are taken, the other process comes in before it.
  for (const turn of [1, 2, 3, 4, 5]) {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queue.db`;
    using stack = new DisposableStack();
    const database = stack.adopt(connect(file, false, Date.now), (database) => database.close());
    let looks = 0;
    const connection = watched(database.connection, () => {
      if (++looks !== turn) return;
      try {
        executeOnFile(file, schema);
      } catch (error) {
        // Where all looks are of one moment, the other process has to wait.
        assert.match(String(error), /is locked/);
      }
    });
    await migrate({ ...database, connection }, () => {});
    assert.equal(database.connection.prepare("PRAGMA user_version").get()!.user_version, migrations.length);
  }
});

Deno.test("sqlite: a database of the first schema is brought up to date with all that is in it", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  Deno.writeFileSync(file, new Uint8Array(), { mode: 0o600 });
  const columns =
    "id, command, attempts, max_retries, priority, created_at, updated_at, state, available, next_attempt_at, worker";
  const job = (id: string, state: string, available: number, dueAt = "NULL", worker = "NULL") =>
    `INSERT INTO jobs (${columns}) VALUES ('${id}', 'true', 0, 3, 0, 1, 1, '${state}', ${available}, ${dueAt}, ${worker});`;
  const attempt = (job: number, run: number) =>
    `INSERT INTO attempts VALUES (${job}, ${run}, ${run}, 'w', 1, 2, 'exited', 1, NULL, 'out ${job}.${run}', 'error');`;
  executeOnFile(
    file,
    `${migrations[0]}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = 1; ` +
      job("ready", "pending", 1) + job("running", "processing", 0, "NULL", "1") +
      job("done", "completed", 0) +
      attempt(1, 1) + attempt(1, 2) + attempt(3, 1) +
      job("waits", "failed", 0, "9000000000000") + job("dead", "dead", 0) + job("cancelled", "cancelled", 0),
  );
  await using store = await openStore(file, { missing: "create", durable: false });
  assert.deepEqual(await store.check(), []);
  for (
    const [state, id] of [["pending", "ready"], ["processing", "running"], ["completed", "done"]] as const
  ) {
    assert.deepEqual((await store.list({ kinds: [state], limit: 9 })).map((job) => job.id), [id]);
  }
  for (const [state, id] of [["failed", "waits"], ["dead", "dead"], ["cancelled", "cancelled"]] as const) {
    assert.deepEqual((await store.list({ kinds: [state], limit: 9 })).map((job) => job.id), [id]);
  }
  const printed = async (id: string) =>
    (await store.attempts(id)).map(({ run, output }) => `${run}: ${output}`);
  assert.deepEqual(await printed("ready"), ["1: out 1.1", "2: out 1.2"]);
  assert.deepEqual(await printed("done"), ["1: out 3.1"]);
  assert.deepEqual(await printed("running"), []);
  assert.deepEqual(await store.lastOutput("ready"), (await store.attempts("ready"))[1]);
  assert.deepEqual((await store.dlqRetry("all")).ids, ["dead"]);
  await assertCounted(store);
});
