/** A schema that belongs to somebody else, or in which somebody else has made something, is not used without a word. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { runCommandLines } from "../../helpers/command_lines.ts";
import { type OwnDatabase, ownDatabase } from "../../helpers/own_database.ts";
import { onServer, postgresServer } from "../../helpers/postgres_database.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { newJobs, told } from "../suite/harness.ts";

type Role = Awaited<ReturnType<OwnDatabase["role"]>>;

interface Subject {
  database: OwnDatabase;
  /** Who uses the queue, and somebody who is not to be trusted; both may make schemas. */
  user: Role;
  stranger: Role;
}

function ownershipTest(name: string, body: (subject: Subject) => Promise<void>): void {
  Deno.test({
    name: `postgres: ${name}`,
    ignore: postgresServer === undefined,
    async fn() {
      await using database = await ownDatabase();
      const [user, stranger] = [await database.role(), await database.role()];
      await database.query(`GRANT CREATE ON DATABASE ${database.name} TO ${user.name}, ${stranger.name}`);
      await body({ database, user, stranger });
    },
  });
}

/** Opens a queue, and closes it. */
async function use(url: string, options: { missing?: "create" | "empty"; allowShared?: boolean } = {}) {
  await using store = await openStore(url, { missing: "create", durable: false, ...options });
  return await store.strangers();
}

function inSchema({ url }: Role, schema: string): string {
  const place = new URL(url);
  place.searchParams.set("schema", schema);
  return place.href;
}

const as = (role: Role, text: string) => onServer((sql) => sql.unsafe(text), role.url);

ownershipTest("a schema that was there before is used only if its owner is trusted", async (subject) => {
  const { database, user, stranger } = subject;
  await as(stranger, "CREATE SCHEMA queuectl");
  await database.query(`GRANT ALL ON SCHEMA queuectl TO ${user.name}`);
  for (const missing of ["create", "empty"] as const) {
    await assert.rejects(
      use(user.url, { missing }),
      told("database", `schema "queuectl" belongs to role "${stranger.name}"`, "--allow-shared-db"),
    );
  }
  // For the server a superuser is a member of every role.
  await assert.rejects(use(database.url), told("database", `belongs to role "${stranger.name}"`));
  assert.deepEqual(await database.query("SELECT 1 FROM pg_class WHERE relname = 'jobs'"), []);
  await database.query(`GRANT ${stranger.name} TO ${user.name}`);
  assert.deepEqual(await use(user.url), []);
});

ownershipTest("the owner of the database, and a superuser, can make it for others", async (subject) => {
  const { database, user, stranger } = subject;
  assert.deepEqual(await use(database.url), []);
  await database.query(`GRANT USAGE ON SCHEMA queuectl TO ${user.name};
    GRANT ALL ON ALL TABLES IN SCHEMA queuectl TO ${user.name}`);
  assert.deepEqual(await use(user.url), [], "a superuser's");
  await database.query(`ALTER DATABASE ${database.name} OWNER TO ${stranger.name}`);
  await as(stranger, "CREATE SCHEMA other");
  await use(inSchema(stranger, "other"));
  await as(
    stranger,
    `GRANT USAGE ON SCHEMA other TO ${user.name};
    GRANT ALL ON ALL TABLES IN SCHEMA other TO ${user.name}`,
  );
  assert.deepEqual(await use(inSchema(user, "other")), [], "the database owner's");
});

ownershipTest("what others have made is never run, and each of it is named", async (subject) => {
  const { database, user, stranger } = subject;
  assert.deepEqual(await use(user.url), []);
  await database.query(`CREATE SEQUENCE public.calls; GRANT ALL ON SEQUENCE public.calls TO public;
    CREATE FUNCTION public.called() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM nextval('public.calls'); RETURN NEW; END $$;
    CREATE FUNCTION public.held(text) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN PERFORM nextval('public.calls'); RETURN true; END $$;`);
  const parts: Array<[name: string, make: string, undo: string]> = [
    [
      `trigger "audit" on table "jobs" is not one of queuectl's`,
      `GRANT TRIGGER ON queuectl.jobs TO ${stranger.name}; GRANT USAGE ON SCHEMA queuectl TO ${stranger.name};
       SET ROLE ${stranger.name};
       CREATE TRIGGER audit BEFORE INSERT ON queuectl.jobs FOR EACH ROW EXECUTE FUNCTION public.called()`,
      "DROP TRIGGER audit ON queuectl.jobs",
    ],
    [
      // A function of ours, but a condition of theirs.
      `trigger "moving" on table "tags" is not one of queuectl's`,
      `CREATE TRIGGER moving BEFORE INSERT ON queuectl.tags FOR EACH ROW WHEN (public.held(NEW.tag))
       EXECUTE FUNCTION queuectl.refuse_change()`,
      "DROP TRIGGER moving ON queuectl.tags",
    ],
    [
      `rule "more" on table "jobs" is not one of queuectl's`,
      "CREATE RULE more AS ON INSERT TO queuectl.jobs DO ALSO SELECT public.held('')",
      "DROP RULE more ON queuectl.jobs",
    ],
    [
      `policy "few" on table "config" is not one of queuectl's`,
      "ALTER TABLE queuectl.config ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON queuectl.config USING (public.held(key))",
      "DROP POLICY few ON queuectl.config; ALTER TABLE queuectl.config DISABLE ROW LEVEL SECURITY",
    ],
    [
      `function "settle" belongs to role "${stranger.name}"`,
      `ALTER FUNCTION queuectl.settle OWNER TO ${stranger.name}`,
      `ALTER FUNCTION queuectl.settle OWNER TO ${user.name}`,
    ],
    [
      `function "count_insert" belongs to role "${stranger.name}"`,
      `ALTER FUNCTION queuectl.count_insert OWNER TO ${stranger.name}`,
      `ALTER FUNCTION queuectl.count_insert OWNER TO ${user.name}`,
    ],
    [
      `table "output" belongs to role "${stranger.name}"`,
      `ALTER TABLE queuectl.output OWNER TO ${stranger.name}`,
      `ALTER TABLE queuectl.output OWNER TO ${user.name}`,
    ],
    [
      // Even to read it would run what is in it.
      `relation "queue" belongs to role "${stranger.name}"`,
      `ALTER TABLE queuectl.queue RENAME TO queue_table;
       CREATE VIEW queuectl.queue AS SELECT * FROM queuectl.queue_table WHERE public.held('');
       ALTER VIEW queuectl.queue OWNER TO ${stranger.name}`,
      "DROP VIEW queuectl.queue; ALTER TABLE queuectl.queue_table RENAME TO queue",
    ],
  ];
  for (const [name, make, undo] of parts) {
    await database.query(make);
    for (const missing of ["create", "empty"] as const) {
      await assert.rejects(use(user.url, { missing }), told("database", name, "--allow-shared-db"));
    }
    await database.query(undo);
  }
  assert.deepEqual(await database.query("SELECT is_called FROM public.calls"), [{ is_called: false }]);
  assert.deepEqual(await use(user.url), []);
  for (const [, make] of parts.slice(0, 4)) await database.query(make);
  const names = parts.slice(0, 4).map(([name]) => name).sort();
  assert.deepEqual((await use(user.url, { allowShared: true })).sort(), names);
});

ownershipTest("commands refuse it with status 5 and one line, and doctor names all", async (subject) => {
  const { user, stranger, database } = subject;
  await use(stranger.url);
  await database.query(`GRANT USAGE ON SCHEMA queuectl TO ${user.name};
    GRANT ALL ON ALL TABLES IN SCHEMA queuectl TO ${user.name}`);
  await using folder = await temporaryFolder();
  const lines = [["enqueue", '{"command": "true"}'], ["list"], ["status"], ["worker", "list"]];
  const run = (lines: string[][], ...flags: string[]) =>
    runCommandLines(lines.map((line) => [...line, "--db", user.url, ...flags]), folder.path);
  for (const { code, stdout, stderr } of await run(lines)) {
    assert.equal(code, 5, stderr);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^The schema "queuectl" [^\n]*as you: schema "queuectl" belongs [^\n]*--allow-shared-db\n$/,
    );
  }
  const [doctor] = await run([["doctor"]]);
  assert.equal(doctor.code, 5);
  for (const part of ['table "jobs"', 'function "settle"', 'sequence "jobs_seq_seq"', 'schema "queuectl"']) {
    assert.ok(doctor.stdout.includes(`${part} belongs to role "${stranger.name}"`), doctor.stdout);
  }
  for (const { code, stderr } of await run(lines, "--allow-shared-db")) assert.equal(code, 0, stderr);
  assert.match((await run([["doctor"]], "--allow-shared-db"))[0].stdout, /The data is sound/);
});

ownershipTest("the seal of a move is no stranger", async ({ user, database }) => {
  await using store = await openStore(user.url, { missing: "create", durable: false });
  await store.enqueue(newJobs("a"));
  await using departure = await (await store.moving()).depart();
  await departure.seal({ id: "move", place: "there", location: "there" });
  const triggers = await database.query("SELECT 1 FROM pg_trigger WHERE tgname = 'moving'");
  assert.equal(triggers.length, 9);
  assert.deepEqual(await use(user.url), []);
});
