/** Making the schema while others make it too. */

import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { connect } from "../../../src/store/sqlite/database.ts";
import { openStore } from "../../../src/store/open.ts";
import { makeSchema } from "../../../src/store/sqlite/make_schema.ts";
import { tables } from "../../../src/store/sqlite/tables.ts";
import { applicationId, schemaVersion } from "../../../src/store/sqlite/schema.ts";
import { executeOnFile } from "../../helpers/sqlite_database.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const schema = `BEGIN IMMEDIATE; ${tables};
  PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`;

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
    await makeSchema({ ...database, connection }, () => {});
    assert.equal(database.connection.prepare("PRAGMA user_version").get()!.user_version, schemaVersion);
  }
});

Deno.test("sqlite: a schema from before the first release is refused, and left as it is", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queue.db`;
  await (await openStore(file, { missing: "create", durable: false }))[Symbol.asyncDispose]();
  executeOnFile(file, "PRAGMA user_version = 1");
  const bytes = Deno.readFileSync(file);
  await assert.rejects(openStore(file, { missing: "create", durable: false }), {
    code: "database",
    message: new RegExp(
      `queue\\.db has schema 1, from before the first release; this queuectl knows ${schemaVersion}; finish `,
    ),
  });
  assert.deepEqual(Deno.readFileSync(file), bytes);
});
