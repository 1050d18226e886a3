/**
 * Moving a whole queue out of a PostgreSQL database, or into one: the parts that are done in one go. transfer_source.ts and
 * transfer_target.ts have the others.
 */

import { failpoint } from "../../base/failpoint.ts";
import { defaultQueueName, jobStates } from "../../job/job.ts";
import type { Moving, Place } from "../transfer_types.ts";
import { text } from "../rows.ts";
import { arrive } from "./transfer_target.ts";
import type { Database, Run } from "./connection/database.ts";
import { depart } from "./transfer_source.ts";
import { lock, readBegun, sealed } from "./transfer_lock.ts";
import { notification } from "./connection/notifications.ts";

const slow = { pace: "slow" } as const;

/** Both ends of a move in one schema. */
export function movingOn(database: Database): Moving {
  return {
    place: () => readPlace(database),
    begun: () => database.transaction(readBegun, { readOnly: true }),
    // With the lock: the server may still be committing for a program that was killed.
    hasArrived: (move) =>
      database.transaction(async (run) => {
        await lock(run);
        return (await run("SELECT 1 FROM queuectl.moves WHERE id = $1 AND direction = 'in'", [move])).length >
          0;
      }, slow),
    depart: () => depart(database),
    arrive: () => arrive(database),
    stay: (move) => ifBegun(database, move, () => Promise.resolve()),
    empty: (move) => ifBegun(database, move, (run) => empty(run)),
  };
}

async function readPlace(database: Database): Promise<Place> {
  const [[row]] = await database.batch([{
    text:
      `SELECT identity::text, current_database()::text AS database, pg_postmaster_start_time()::text AS started,
      (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()) AS number FROM queuectl.queue`,
  }], { readOnly: true });
  const { schema } = database.options;
  const [identity, name, started, number] = ["identity", "database", "started", "number"].map((column) =>
    text(row, column)
  );
  return {
    name: ["postgres", identity, name, schema].join(" "),
    // Two servers that run do not start in the same microsecond; a copy of a database may have its identity.
    present: ["postgres", identity, started, number, schema].join(" "),
  };
}

/** Ends the move that was begun in this schema, when it is this one: the seal goes, and what `body` takes away. */
async function ifBegun(database: Database, move: string, body: (run: Run) => Promise<void>): Promise<void> {
  await database.transaction(async (run) => {
    // Not in the middle of another one's end.
    await run("SELECT version FROM queuectl.queue FOR UPDATE");
    if ((await readBegun(run))?.id !== move) return;
    for (const table of sealed) await run(`DROP TRIGGER IF EXISTS moving ON ${table}`);
    await body(run);
    await run("DELETE FROM queuectl.moves WHERE id = $1", [move]);
    const { text: notify, parameters } = notification(database);
    await run(notify, parameters);
  }, slow);
}

async function empty(run: Run): Promise<void> {
  // The processes are gone; one that was only silent finds that it is not known any more.
  await run(`TRUNCATE ${sealed.join(", ")}`);
  const zeros = [...jobStates, "died"].map((name) => `${name} = 0`);
  await run(`UPDATE queuectl.counters SET ${zeros.join(", ")}`);
  await run("TRUNCATE queuectl.queue_counters");
  await run(`INSERT INTO queuectl.queues (name) VALUES (''), ('${defaultQueueName}')`);
  failpoint("emptying");
}
