/** The target of a move: writing a whole queue, in one transaction. */

import { engineOn } from "./engine.ts";
import { listProcesses } from "../operations/processes.ts";
import type { JobState } from "../../job/job.ts";
import { type Arrival, movedColumns, type MovedTable, type Rest } from "../transfer_types.ts";
import type { Row } from "../rows.ts";
import { lastSeq, openTally, type Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { count, lock } from "./transfer_lock.ts";
import { attemptKey } from "./attempt_key.ts";

/** Locks the file and adds another queue's rows to it. */
export const arrive = (whole: Database): Promise<Arrival> =>
  lock(whole, async (database, lock) => {
    const tally = openTally(database);
    const statements = {
      jobs: insertStatement(database, "jobs"),
      attempts: insertStatement(database, "attempts"),
      dependencies: insertStatement(database, "dependencies"),
    };
    return {
      processes: await engineOn(database).read(listProcesses),
      jobs: count(database, "jobs"),
      add: ({ table, rows }) =>
        database.write(() => {
          for (const row of rows) {
            statements[table].run(...valuesOf(table, row));
            if (table === "jobs") arriveJob(database, row, tally);
          }
        }),
      complete: (move, rest) => database.write(() => complete(database, tally, move, rest)),
      // deno-lint-ignore require-await -- what it throws is to be the promise's
      commit: async () => lock.commit(),
      [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
    };
  });

function arriveJob(database: Database, row: Row, tally: Tally): void {
  const queue = row.queue as string;
  tally.move(null, row.state as JobState, 1, queue);
  if (row.tags !== null) {
    database.prepare("INSERT INTO tags (tag, job) SELECT DISTINCT value, ?1 FROM json_each(?2)")
      .run(row.seq as number, row.tags as string);
  }
}

function complete(
  database: Database,
  tally: Tally,
  move: string,
  { settings, queues, starts, deaths, lastSeq: last }: Rest,
): void {
  tally.write();
  database.prepare("UPDATE counters SET value = value + ? WHERE name = 'died'").run(deaths);
  const highest = Math.max(last, lastSeq(database));
  database.connection.exec("DELETE FROM sqlite_sequence WHERE name = 'jobs'");
  database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)").run(highest);
  database.connection.exec("DELETE FROM config");
  const insert = database.prepare("INSERT INTO config (key, value) VALUES (?, ?)");
  for (const setting of settings) insert.run(...setting);
  database.connection.exec("DELETE FROM queues; DELETE FROM starts");
  const insertQueue = database.prepare(`
    INSERT INTO queues (name, paused, concurrency, rate, rate_period, max_retries, timeout)
    VALUES (?, ?, ?, ?, ?, ?, ?)`);
  for (const { name, paused, concurrency, rate, ratePeriod, maxRetries, timeout } of queues) {
    insertQueue.run(name, Number(paused), concurrency, rate, ratePeriod, maxRetries, timeout);
  }
  const insertStarts = database.prepare("INSERT INTO starts (queue, at, jobs) VALUES (?, ?, ?)");
  for (const { queue, at, jobs } of starts) insertStarts.run(queue, at, jobs);
  database.prepare("INSERT INTO moves (id, direction) VALUES (?, 'in')").run(move);
}

/** The columns that move, and what this schema derives from them. */
function insertStatement(database: Database, table: MovedTable) {
  const columns = Object.keys(movedColumns[table]).map((name) => [name, "?"]);
  if (table === "jobs") columns.push(["set_aside", "?"]);
  // The job and the run, which come first, are one number here.
  else if (table === "attempts") columns.splice(0, 2, ["key", attemptKey("?", "?")]);
  return database.prepare(
    `INSERT INTO ${table} (${columns.map(([name]) => name).join(", ")})
     VALUES (${columns.map(([, value]) => value).join(", ")})`,
  );
}

function valuesOf(table: MovedTable, row: Row): Array<string | number | null> {
  const values = Object.keys(movedColumns[table]).map((column) => {
    const value = row[column];
    return typeof value === "boolean" ? Number(value) : value as string | number | null;
  });
  const isSetAside = row.state === "dead" || row.state === "cancelled";
  return table === "jobs" ? [...values, isSetAside ? 1 : null] : values;
}
