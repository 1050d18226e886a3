/** Makes the schema of a queue, safely with any number of processes starting at once. */

import { QueuectlError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { otherSchema } from "../errors.ts";
import type { Database, Run, Statement } from "./connection/database.ts";
import { lookStatement, refuseStrangers } from "./ownership.ts";
import { schema, schemaVersion } from "./schema.ts";

/** What is known of the queue itself. */
export interface Queue {
  /** Made with the schema, and never changed. */
  identity: string;
  /** What the server calls the database. */
  database: string;
  /** The number of the database, and that of the server where it tells it: a dump that is restored has others. */
  server: string;
  /** When the server was started: a copy of all its files was started at another time. */
  started: string;
  /** The same in milliseconds since 1970, by the server's clock. */
  startedAt: number;
}

/** The lock under which schemas are made: a number that no other program uses by chance ("queuectl", in ASCII). */
const lock = "8175552253447599212";

/**
 * What is known of the queue; makes its schema where there is none, and says so through `notify`. Undefined where there is
 * none and `create` is not asked for. Throws `newer_schema`, and `database` for what another program has made, or
 * unless `allowShared` another user.
 */
export async function findQueue(
  database: Database,
  create: boolean,
  notify: (message: string) => void,
  allowShared = false,
): Promise<Queue | undefined> {
  const found = await readQueue(database, allowShared);
  if (found || !create) return found;
  const made = await database.transaction((run) => makeSchema(run, database, allowShared), {
    pace: "slow",
  });
  if (made) notify("Database schema initialized successfully.");
  return await readQueue(database, allowShared);
}

/** Undefined where there is no queue yet. */
async function readQueue(
  database: Database,
  allowShared: boolean,
): Promise<Queue | undefined> {
  // Asked first whether it is there, because a statement that fails would be a line in the log of the server; and whose it
  // is, because even reading may run what somebody else has made.
  const [[{ there, own, telling }]] = await database.batch([lookStatement(database.options.schema)], {
    readOnly: true,
  });
  if (own !== true && !allowShared) {
    await refuseStrangers(async (statement) => {
      const [rows] = await database.batch([statement], { readOnly: true });
      return rows;
    }, database);
  }
  if (!there) return undefined;
  const [[row]] = await database.batch([{
    text:
      `SELECT version, identity, current_database() AS database, pg_postmaster_start_time()::text AS started,
        floor(extract(epoch FROM pg_postmaster_start_time())::numeric * 1000::numeric)::float8 AS "startedAt",
        (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database())
          || ${
        telling ? "(SELECT ' ' || system_identifier::text FROM pg_catalog.pg_control_system())" : "''"
      } AS server
      FROM queuectl.queue`,
  }], { readOnly: true });
  if (!row) return undefined;
  const { version, ...queue } = row as unknown as Queue & { version: number };
  if (version !== schemaVersion) throw otherSchema(database.options.location, version, schemaVersion);
  return queue;
}

/** False where somebody else has made it by now. */
async function makeSchema(run: Run, database: Database, allowShared: boolean): Promise<boolean> {
  const { options } = database;
  // Taken until the transaction ends; whoever waited finds the work done.
  await run(`SELECT pg_advisory_xact_lock(${lock})`);
  await refuseServer(run, options.location);
  const ask = ({ text, parameters }: Statement) => run(text, parameters);
  const [{ there, own }] = await ask(lookStatement(options.schema));
  // By now somebody else may have made it.
  if (own !== true && !allowShared) await refuseStrangers(ask, database);
  const [row] = there ? await run("SELECT version FROM queuectl.queue") : [];
  if (row) return false;
  // "IF NOT EXISTS" asks for the right to make schemas also where there is nothing to make.
  const [{ exists }] = await run("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS exists", [
    options.schema,
  ]);
  if (!exists) await run("CREATE SCHEMA queuectl");
  await run(schema);
  failpoint("migration");
  return true;
}

async function refuseServer(run: Run, location: string): Promise<void> {
  const [{ version, encoding }] = await run(
    "SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding",
  );
  if (Number(version) < 130_000) {
    throw new QueuectlError("database", `The database ${location} is older than PostgreSQL 13`);
  }
  if (encoding !== "UTF8") {
    throw new QueuectlError(
      "database",
      `The database ${location} has the encoding ${encoding}; it has to be UTF8`,
    );
  }
}
