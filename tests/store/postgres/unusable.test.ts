/** Servers and databases that cannot be used: one line says why, and never the password. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { onServer, postgresServer } from "../../helpers/postgres_database.ts";
import { postgresTest } from "../../helpers/postgres_test.ts";
import { newJobs, told } from "../suite/harness.ts";

const open = (url: string, missing: "create" | "empty" = "create") =>
  openStore(url, { missing, durable: true });

/** The URL with some parts replaced. */
function changed(url: string, change: (url: URL) => void): string {
  const place = new URL(url);
  change(place);
  return place.href.replaceAll("+", "%20");
}

const secret = "geheim";

/** The error is of kind `database`, and its text has no password. */
const explained = (...parts: string[]) => (error: unknown): true => {
  told("database", ...parts)(error);
  assert.ok(!(error as Error).message.includes(secret), (error as Error).message);
  const own = new URL(postgresServer!).password;
  assert.ok(own === "" || !(error as Error).message.includes(own), (error as Error).message);
  return true;
};

/** A role that can log in, and is removed after the test. */
async function withRole(
  settings: string,
  body: (asRole: (url: string) => string, role: string) => Promise<void>,
): Promise<void> {
  const role = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer((sql) => sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}' ${settings}`));
  try {
    await body((url) =>
      changed(url, (place) => {
        place.username = role;
        place.password = secret;
      }), role);
  } finally {
    await onServer((sql) => sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
  }
}

Deno.test("postgres: a server that is not there", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(
    open(`postgres://u:${secret}@127.0.0.1:${port}/d`),
    explained(`postgres://u@127.0.0.1:${port}/d`, "nothing listens"),
  );
  await assert.rejects(
    open(`postgres:///d?user=u&password=${secret}&host=/nowhere`),
    explained("there is no socket"),
  );
});

Deno.test("postgres: a server that hangs up, and one that says nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  let isSilent = false;
  const accepting = (async () => {
    for await (const connection of listener) {
      if (isSilent) connections.push(connection);
      else connection.close();
    }
  })();
  const url = `postgres://u:${secret}@127.0.0.1:${listener.addr.port}/d?connect_timeout=2`;
  for (const mode of ["disable", "prefer", "require"]) {
    await assert.rejects(open(`${url}&sslmode=${mode}`), explained("cannot be reached"));
  }
  isSilent = true;
  await assert.rejects(open(`${url}&sslmode=disable`), explained("no answer within 2 seconds"));
  listener.close();
  for (const connection of connections) connection.close();
  await accepting;
});

postgresTest("a user, a password and a database that the server does not take", async ({ url }) => {
  const noDatabase = changed(url, (place) => place.pathname = "/no such database");
  await assert.rejects(open(noDatabase), explained("does not exist", "createdb"));
  // A server that trusts everybody takes any password.
  if (new URL(url).password === "") return;
  await withRole("", async (asRole) => {
    const refused = explained("refuses user", "password authentication failed");
    await assert.rejects(open(asRole(url).replace(secret, "wrong")), refused);
    await assert.rejects(open(asRole(url).replace(`:${secret}`, "")), explained("PGPASSWORD"));
  });
});

postgresTest(
  "a role that may not make a schema, and one that may not write",
  async ({ url, open, query, schema }) => {
    await withRole("", async (asRole, role) => {
      await assert.rejects(
        open(asRole(url)),
        explained(`does not let user "${role}" do this`, "permission denied"),
      );
      const store = await open(url);
      await query(`GRANT USAGE ON SCHEMA "${schema}" TO ${role}`);
      await query(`GRANT SELECT ON ALL TABLES IN SCHEMA "${schema}" TO ${role}`);
      const reader = await open(asRole(url));
      assert.equal((await reader.counts()).pending, 0);
      await assert.rejects(reader.enqueue(newJobs("a")), explained("permission denied"));
      assert.equal((await store.counts()).pending, 0);
    });
  },
);

postgresTest("a server that takes no writes", async ({ url, open, query }) => {
  await open(url);
  await withRole("SUPERUSER", async (asRole, role) => {
    await query(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
    const store = await open(asRole(url));
    assert.deepEqual(await store.list({ limit: 1 }), []);
    const refused = explained("cannot be written", "read-only");
    await assert.rejects(store.enqueue(newJobs("a")), refused);
    await assert.rejects(open(`${asRole(url)}&target_session_attrs=read-write`), refused);
  });
});

postgresTest("too many connections", async ({ url, open }) => {
  await open(url);
  await withRole("CONNECTION LIMIT 0", async (asRole) => {
    await assert.rejects(open(asRole(url)), explained("has too many connections"));
  });
});

postgresTest("a schema that a newer program has written is refused", async ({ url, open, query }) => {
  await open(url);
  await query("UPDATE queuectl.queue SET version = 99");
  for (const missing of ["create", "empty"] as const) {
    await assert.rejects(
      openStore(url, { missing, durable: true }),
      told("newer_schema", "99", "use a newer"),
    );
  }
});

postgresTest("a schema of another program is left alone", async ({ url, open, query, schema }) => {
  await query(`CREATE SCHEMA "${schema}"`);
  await query("CREATE TABLE queuectl.jobs (anything integer)");
  await assert.rejects(open(url), explained("belongs to another program"));
  assert.deepEqual(await query("SELECT * FROM queuectl.jobs"), []);
  await query("CREATE TABLE queuectl.queue (anything integer)");
  await assert.rejects(open(url), explained("belongs to another program"));
});

postgresTest(
  "a database whose tables were taken away while it was used",
  async ({ url, open, query, schema }) => {
    const store = await open(url);
    await query(`DROP SCHEMA "${schema}" CASCADE`);
    await assert.rejects(store.counts(), explained("another program has changed it"));
  },
);

postgresTest(
  "without a schema everything is answered as for an empty queue, and none is made",
  async ({ url, query, schema }) => {
    await using store = await open(url, "empty");
    assert.equal(store.exists, false);
    assert.deepEqual(await store.list({ limit: 1 }), []);
    assert.equal((await store.counts()).pending, 0);
    assert.deepEqual((await store.dlqRetry("all")).ids, []);
    await assert.rejects(store.dlqRetry(["a"]), told("not_found", "No DLQ job found with id a"));
    await assert.rejects(store.cancel(["a"]), told("not_found", "No job found with id a"));
    await assert.rejects(store.attempts("a"), told("not_found"));
    assert.deepEqual(await store.settings(), []);
    assert.equal(store.changed(), false);
    await assert.rejects(store.enqueue(newJobs("a")), told("database"));
    assert.deepEqual(await query(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`), []);
  },
);
Deno.test("postgres: a host that no host can be called is told in one line, without the password", async () => {
  for (const host of ["bad host", "bad%20host", "a_b!", "x..y"]) {
    const url = `postgres://u:secret@${host}/db`;
    await assert.rejects(openStore(url, { missing: "empty", durable: false }), (error: Error) => {
      assert.match(
        error.message,
        /^The database \S.* cannot be reached: "[^"]+" is no valid name of a host$/,
      );
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});
