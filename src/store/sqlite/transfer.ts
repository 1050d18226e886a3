/**
 * Moving a whole queue out of a SQLite file, or into one: the parts that are done in one go. transfer_source.ts and transfer_target.ts
 * have the others.
 */

import { defaultQueueName } from "../../job/job.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { Moving } from "../transfer_types.ts";
import { arrive } from "./transfer_target.ts";
import type { Database } from "./database.ts";
import { depart } from "./transfer_source.ts";
import { readBegun, sealed, unsealStatements } from "./transfer_lock.ts";

/** Both ends of a move on one file. */
export function movingOn(database: Database): Moving {
  return {
    place: () =>
      Promise.resolve({ name: Deno.realPathSync(database.path), present: presentPlace(database.path) }),
    begun: () => database.read(() => readBegun(database)),
    // With the lock for writing: whoever has it may be about to commit the move.
    hasArrived: (move) =>
      database.write(() =>
        database.prepare("SELECT 1 FROM moves WHERE id = ? AND direction = 'in'").get(move) !== undefined
      ),
    depart: () => depart(database),
    arrive: () => arrive(database),
    stay: (move) => ifBegun(database, move, () => {}),
    empty: (move) => ifBegun(database, move, () => empty(database)),
  };
}

/** The file itself where the system has a number for it: a link is another name of the same file. */
function presentPlace(path: string): string {
  const { dev, ino } = Deno.statSync(path);
  return ino === null ? `file ${Deno.realPathSync(path).toLowerCase()}` : `file ${dev}:${ino}`;
}

/** Ends the move that was begun in this file, when it is this one: the seal goes, and what `body` takes away. */
async function ifBegun(database: Database, move: string, body: () => void): Promise<void> {
  await database.write(() => {
    if (readBegun(database)?.id !== move) return;
    for (const statement of unsealStatements) database.connection.exec(statement);
    body();
    database.prepare("DELETE FROM moves WHERE id = ?").run(move);
  });
}

function empty(database: Database): void {
  // The processes are gone; one that was only silent finds that it is not known any more.
  for (const table of sealed) database.connection.exec(`DELETE FROM ${table}`);
  database.connection.exec(`
    UPDATE counters SET value = 0;
    DELETE FROM queue_counters;
    INSERT INTO queues (name) VALUES (''), ('${defaultQueueName}')`);
  failpoint("emptying");
}
