/** `?schema=NAME`: whatever a schema can be called, a queue is made and used in it, and in no other. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { ownDatabase } from "../../helpers/own_database.ts";
import { postgresServer } from "../../helpers/postgres_database.ts";
import { claimOne, end, ids, join, newJob, success } from "../suite/harness.ts";

const names = ["my-schema", "Queue", "queuectl.x", "a queuectl.jobs", "a\"b'c\\d", "a$b", "$1", "schémä"];

Deno.test({
  name: "postgres: a schema with an odd name has a queue like any other",
  ignore: postgresServer === undefined,
  async fn() {
    await using database = await ownDatabase();
    for (const name of names) {
      const url = `${database.url}${database.url.includes("?") ? "&" : "?"}schema=${
        encodeURIComponent(name)
      }`;
      await using store = await openStore(url, { missing: "create", durable: false });
      await store.enqueue([newJob("first", { tags: ["t"] })]);
      using intake = await store.intake();
      intake.add([newJob("second", { after: ["first"] }), newJob("third")]);
      await intake.commit();
      const worker = await join(store);
      await end(store, worker, await claimOne(store, worker), success);
      assert.deepEqual(ids(await store.list({ search: "s", limit: 9 })), ["first", "second"], name);
      await store.cancel(["third"]);
      assert.deepEqual((await store.queues()).map(({ name }) => name), ["", "default"]);
      assert.deepEqual([await store.check(), await store.strangers()], [[], []], name);
      assert.equal((await (await store.moving()).begun()) ?? null, null);
    }
    const made = await database.query(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^info|^public$'",
    );
    assert.deepEqual(made.map(({ name }) => name).sort(), names.toSorted());
  },
});
