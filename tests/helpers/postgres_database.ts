import assert from "node:assert/strict";
import postgres from "postgres";
import { openStore } from "../../src/store/open.ts";
import { schema as statements } from "../../src/store/postgres/schema.ts";
import type { TestDatabase } from "../store/suite/harness.ts";
import type { Place } from "./drivers.ts";

/** The server for tests; undefined where there is none, and what needs one is left out. */
export const postgresServer = Deno.env.get("QUEUECTL_TEST_POSTGRES") || undefined;

// `deno task test` has said so already.
if (postgresServer === undefined && !Deno.env.has("QUEUECTL_TEST_PASSED")) {
  console.log(
    "PostgreSQL is SKIPPED: use `deno task test`, or set QUEUECTL_TEST_POSTGRES to the URL of a server",
  );
}

// The first question of each kind is slow in a new session, which reads the catalogue for it: what every test asks has
// one session in a file of tests. It is opened before them, because a test may leave nothing open.
const shared = postgresServer && Deno.env.has("QUEUECTL_TEST_PASSED") ? connectTo(postgresServer) : undefined;
await shared?.unsafe("SELECT");

/** Runs statements on the server for tests that neither wait for others nor change the session. */
function quickly<T>(action: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  return shared ? action(shared) : onServer(action);
}

/** A schema of its own on the server for tests, which is removed when it is disposed of. */
export function postgresSchema(): { url: string; schema: string } & AsyncDisposable {
  assert.ok(postgresServer, "there is no server for tests");
  const schema = `test ${crypto.randomUUID()}`;
  const url = new URL(postgresServer);
  url.searchParams.set("schema", schema);
  return {
    // As libpq reads it: a plus sign is no space.
    url: url.href.replaceAll("+", "%20"),
    schema,
    async [Symbol.asyncDispose]() {
      await quickly((sql) => sql.unsafe(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`));
    },
  };
}

/** A place for a queue in a schema of its own. */
export function postgresPlace(): Place & AsyncDisposable {
  const { url, schema, [Symbol.asyncDispose]: dispose } = postgresSchema();
  const choose = (sql: postgres.Sql | postgres.ReservedSql) => sql.unsafe(`SET search_path TO "${schema}"`);
  return {
    url,
    tables: () =>
      quickly(async (sql) =>
        (await sql`SELECT tablename FROM pg_tables WHERE schemaname = ${schema}`).map((row) => row.tablename)
      ),
    assertSound: () => assertSound(schema),
    query: (text) =>
      onServer(async (sql) => {
        await choose(sql);
        return (await sql.unsafe(text)).map((row) => ({ ...row }));
      }),
    async begin(mode) {
      const sql = connectTo(postgresServer!);
      await choose(sql);
      await sql.unsafe("BEGIN ISOLATION LEVEL REPEATABLE READ");
      // What a reader sees is decided by its first look.
      await sql.unsafe(mode === "write" ? "LOCK TABLE jobs IN EXCLUSIVE MODE" : "SELECT count(*) FROM jobs");
      return {
        query: async (text) => (await sql.unsafe(text)).map((row) => ({ ...row })),
        async end(how) {
          await sql.unsafe(how);
          await sql.end();
        },
      };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** A session with the server for tests, which reads whole numbers as numbers. */
function connectTo(url: string): postgres.Sql {
  const place = new URL(url);
  place.searchParams.delete("schema");
  return postgres(place.href, {
    max: 1,
    onnotice: () => {},
    types: { integer8: { to: 20, from: [20], parse: Number, serialize: String } },
  }) as postgres.Sql;
}

/** Runs statements on the server for tests, past the store. */
export async function onServer<T>(
  action: (sql: postgres.Sql) => Promise<T>,
  url = postgresServer!,
): Promise<T> {
  const sql = connectTo(url);
  try {
    return await action(sql);
  } finally {
    await sql.end();
  }
}

/** A PostgreSQL database of its own for one test of the store suite; it has to be sound in the end. */
export async function postgresDatabase(
  clock?: () => number,
): Promise<TestDatabase & { url: string; schema: string }> {
  const stack = new AsyncDisposableStack();
  const { url, schema } = stack.use(postgresSchema());
  await makeQueue(schema);
  // Runs after the stores are closed, which are disposed of first.
  stack.defer(() => assertSound(schema));
  return {
    url,
    schema,
    async connect() {
      return stack.use(await openStore(url, { missing: "create", durable: false, clock }));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The invariants at the top of schema.ts hold. */
export async function assertSound(schema: string): Promise<void> {
  await quickly(async (sql) => {
    for (const violation of violations) {
      const text = violation.replaceAll("queuectl.", `"${schema}".`);
      assert.deepEqual([...await sql.unsafe(text)], [], text);
    }
  });
}

/** Makes a queue in a schema as a store does, in a quarter of the time. */
async function makeQueue(schema: string): Promise<void> {
  const text = `CREATE SCHEMA queuectl; ${statements}`.replaceAll("SCHEMA queuectl", `SCHEMA "${schema}"`)
    .replaceAll(
      "queuectl.",
      `"${schema}".`,
    );
  await quickly((sql) => sql.unsafe(text));
}

const violations = [
  "SELECT id FROM queuectl.jobs WHERE available AND state NOT IN ('pending', 'failed')",
  "SELECT id FROM queuectl.jobs WHERE available <> (next_attempt_at IS NULL AND NOT held AND blocked = 0) AND state IN ('pending', 'failed')",
  "SELECT id FROM queuectl.jobs WHERE next_attempt_at IS NOT NULL AND state NOT IN ('pending', 'failed')",
  "SELECT id FROM queuectl.jobs WHERE (worker IS NULL) = (state = 'processing')",
  "SELECT id FROM queuectl.jobs WHERE cancel_requested AND state <> 'processing'",
  "SELECT job FROM queuectl.attempts WHERE job NOT IN (SELECT seq FROM queuectl.jobs)",
];
