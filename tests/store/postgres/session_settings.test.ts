/** What a role or a database sets for its sessions (`ALTER ROLE … SET`) changes nothing about a queue. */

import assert from "node:assert/strict";
import { connectionOptions } from "../../../src/store/postgres/connection/options.ts";
import { connect } from "../../../src/store/postgres/connection/database.ts";
import { remedy } from "../../../src/store/postgres/connection/error_remedies.ts";
import type { Session } from "../../../src/store/postgres/connection/session.ts";
import { readProcessEnvironment } from "../../../src/store/postgres/connection/process_environment.ts";
import { openStore } from "../../../src/store/open.ts";
import { ownDatabase } from "../../helpers/own_database.ts";
import { postgresServer } from "../../helpers/postgres_database.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { useQueue } from "../../helpers/queue_use.ts";
import { assertCounted, claim, end, failure, ids, join, newJob, success, told } from "../suite/harness.ts";

/** How values are written and read, what statements mean, what becomes of commits. */
const meanings = {
  standard_conforming_strings: "off",
  backslash_quote: "off",
  quote_all_identifiers: "on",
  transform_null_equals: "on",
  array_nulls: "off",
  DateStyle: "German, DMY",
  IntervalStyle: "sql_standard",
  TimeZone: "Asia/Kathmandu",
  extra_float_digits: "-15",
  bytea_output: "escape",
  client_encoding: "LATIN1",
  search_path: "nowhere",
  row_security: "off",
  check_function_bodies: "off",
  default_tablespace: "",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  synchronous_commit: "off",
};

/** What is cut short, each time. Milliseconds. */
const limits = {
  statement_timeout: "200",
  lock_timeout: "200",
  idle_in_transaction_session_timeout: "200",
};

/** How the server goes about it. */
const plans = {
  plan_cache_mode: "force_generic_plan",
  enable_indexscan: "off",
  enable_indexonlyscan: "off",
  work_mem: "64kB",
  jit_above_cost: "0",
  client_min_messages: "debug5",
  "plpgsql.extra_errors": "all",
  "plpgsql.variable_conflict": "use_column",
};

/** What a later server has besides, by its first version. */
const newer: Array<[version: number, name: string, value: string]> = [
  [14, "idle_session_timeout", "200"],
  [17, "transaction_timeout", "200"],
];

const groups: Array<[what: string, settings: Record<string, string>, Array<[number, string, string]>]> = [
  ["meanings and plans", { ...meanings, ...plans }, []],
  ["limits of time", limits, newer],
];

/** A store of a role with settings; those that the server does not have are left out. */
async function withSettings(
  settings: Record<string, string>,
  body: (url: string) => Promise<void>,
  later: Array<[number, string, string]> = [],
): Promise<void> {
  await using database = await ownDatabase();
  const role = await database.role();
  const [{ version }] = await database.query(
    "SELECT current_setting('server_version_num')::integer AS version",
  );
  await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role.name}`);
  const known = later.filter(([first]) => first <= Number(version) / 10_000).map((
    [, name, value],
  ) => [name, value]);
  for (const [name, value] of [...Object.entries(settings), ...known]) {
    await database.query(`ALTER ROLE ${role.name} SET ${name} = '${value}'`);
  }
  await body(role.url);
}

for (const [what, settings, later] of groups) {
  Deno.test({
    name: `postgres: a queue is used as ever by a role with other ${what}`,
    ignore: postgresServer === undefined,
    fn: () => withSettings(settings, useQueue, later),
  });
}

Deno.test({
  name: "postgres: texts, numbers and bytes come back as they were, whatever a role sets",
  ignore: postgresServer === undefined,
  fn: () =>
    withSettings(meanings, async (url) => {
      await using store = await openStore(url, { missing: "create", durable: false });
      const command = String.raw`printf 'a\\b\'%_"é' # 100%`;
      const baseBackoff = 1 / 3;
      await store.enqueue([
        newJob("odd", { command, baseBackoff }),
        newJob("even"),
        newJob("fails", { baseBackoff }),
      ]);
      for (const search of ["\\b\\'", "%_", "\\\\", "É", "100%"]) {
        const found = search === "É" ? [] : ["odd"];
        assert.deepEqual(ids(await store.list({ search, limit: 9 })), found, search);
      }
      const worker = await join(store);
      const [odd, even, fails] = await claim(store, worker, 3);
      assert.deepEqual([odd.command, odd.baseBackoff], [command, baseBackoff]);
      const content = new Uint8Array([0, 92, 39, 255, 120]);
      await store.keepOutput([{ ...odd, stream: "out", position: 0, content, gap: null }]);
      assert.deepEqual((await store.keptOutput(odd.seq, odd.run)).map((part) => [...part.content]), [[
        ...content,
      ]]);
      await end(store, worker, odd, success);
      await end(store, worker, even, success);
      await end(store, worker, fails, failure);
      assert.equal(await store.heartbeat(worker, 1000, 1 / 3), true);
      assert.deepEqual((await store.processes()).map(({ pace }) => pace), [1 / 3]);
      await assertCounted(store);
      assert.deepEqual(await store.check(), []);
    }),
});

postgresTest("no setting can take the commit of an acknowledged job back", async ({ url }) => {
  const options = connectionOptions(`${url}&options=-c%20synchronous_commit%3Doff`, readProcessEnvironment());
  const database = await connect(options);
  const asked = { text: "SELECT current_setting('synchronous_commit') AS commit" };
  assert.deepEqual(await database.batch([asked]), [[{ commit: "on" }]]);
  await database.close();
});

Deno.test({
  name: "postgres: sessions whose triggers do nothing are refused, or counts would go wrong",
  ignore: postgresServer === undefined,
  fn: () =>
    withSettings({ session_replication_role: "replica" }, async (url) => {
      const opening = openStore(url, { missing: "create", durable: false });
      await assert.rejects(opening, told("database", "session_replication_role is replica"));
    }),
});

postgresTest(
  "a server that limits transactions is told not to; one that does not know that is not",
  async ({ url }) => {
    const database = await connect(connectionOptions(url, readProcessEnvironment()));
    const begun = async (serverVersion: number) => {
      const sent: string[] = [];
      const send = (statements: readonly { text: string }[]) => {
        sent.push(...statements.map(({ text }) => text));
        return Promise.resolve(statements.map(() => ({ rows: [], command: "" })));
      };
      const session: Session = {
        isOpen: true,
        serverVersion,
        isCommitLazy: false,
        ended: Promise.resolve(),
        send,
        close: () => Promise.resolve(),
      };
      await database.batchOn(session, [], 1000);
      return sent[0].includes("transaction_timeout = 0");
    };
    assert.deepEqual([await begun(16), await begun(17), await begun(NaN)], [false, true, false]);
    await database.close();
    // "Terminating connection due to transaction timeout".
    assert.equal(remedy(Object.assign(new Error(), { code: "25P04" })), "reconnect");
  },
);
