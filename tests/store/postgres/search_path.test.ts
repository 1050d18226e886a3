/** Operators and functions that another role has made in `public` are never called, whatever a queue does. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { searchPath } from "../../../src/store/postgres/connection/safe_path.ts";
import { makeLookAlikes } from "../../helpers/look_alikes.ts";
import { postgresServer } from "../../helpers/postgres_database.ts";
import { openProxy } from "../../helpers/proxy.ts";
import { useQueue } from "../../helpers/queue_use.ts";
import { ownDatabase } from "../../helpers/own_database.ts";

/** Registers a test with a database of its own, in which somebody else has made look-alikes. */
function lookAlikeTest(
  name: string,
  body: (url: string, query: (text: string) => Promise<Array<Record<string, unknown>>>) => Promise<void>,
): void {
  Deno.test({
    name: `postgres: ${name}`,
    ignore: postgresServer === undefined,
    async fn() {
      await using database = await ownDatabase();
      const stranger = await database.role();
      await database.query(`GRANT CREATE ON SCHEMA public TO ${stranger.name}`);
      await database.query(makeLookAlikes(stranger.name));
      const called = async () => (await database.query("SELECT is_called FROM public.look_alike_calls"))[0];
      await database.query("SELECT 1::bigint + 1::numeric");
      assert.deepEqual(await called(), { is_called: true }, "they are not found at all");
      await database.query("TRUNCATE public.look_alikes; ALTER SEQUENCE public.look_alike_calls RESTART");
      const owner = await database.role();
      await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${owner.name}`);
      await body(owner.url, database.query);
      assert.deepEqual(await database.query("SELECT DISTINCT name FROM public.look_alikes"), []);
      assert.deepEqual(await called(), { is_called: false }, "some were called in what was undone");
    },
  });
}

lookAlikeTest("look-alikes of operators and functions are not called", (url) => useQueue(url));

lookAlikeTest("nor would they be without a search path: types are exact", async (url) => {
  const place = new URL(url);
  const [safe, unsafe] = [searchPath, "public".padEnd(searchPath.length)].map((text) =>
    new TextEncoder().encode(`SET LOCAL search_path = ${text}`)
  );
  let count = 0;
  await using proxy = openProxy(Number(place.port || 5432), (sent) => {
    for (let at = 0; at <= sent.length - safe.length; at++) {
      if (safe.every((byte, index) => sent[at + index] === byte)) count++, sent.set(unsafe, at);
    }
  });
  [place.hostname, place.port] = ["127.0.0.1", String(proxy.port)];
  place.searchParams.set("sslmode", "disable");
  await useQueue(place.href);
  assert.ok(count > 100, "the search path was not taken away");
});

Deno.test({
  name: "postgres: all functions have a search path of their own",
  ignore: postgresServer === undefined,
  async fn() {
    await using database = await ownDatabase();
    await using store = await openStore(database.url, { missing: "create", durable: false });
    assert.equal((await store.counts()).pending, 0);
    assert.deepEqual(
      await database.query(`SELECT coalesce(proconfig::text, 'none') AS path, count(*)::integer AS functions
        FROM pg_proc WHERE pronamespace = 'queuectl'::regnamespace GROUP BY proconfig`),
      [{ path: `{"search_path=${searchPath}"}`, functions: 5 }],
    );
  },
});
