/** The source of a move: reading a whole queue. */

import { listProcesses } from "../operations/processes.ts";
import {
  type Batch,
  createBatcher,
  type Departure,
  lengthOf,
  movedColumns,
  movedRow,
  type MovedTable,
} from "../transfer_types.ts";
import type { Row } from "../rows.ts";
import { lastSeq, readCounters } from "./counters.ts";
import { type Database, explained } from "./database.ts";
import { prepareWide } from "./wide_statement.ts";
import { count, lock, sealStatements } from "./transfer_lock.ts";
import { queues } from "./queues.ts";
import { settings } from "../operations/settings.ts";
import { engineOn } from "./engine.ts";

/** Locks the file and reads all of it. */
export const depart = (whole: Database): Promise<Departure> =>
  lock(whole, async (database, lock) => ({
    processes: await engineOn(database).read(listProcesses),
    jobs: count(database, "jobs"),
    processing: count(database, "jobs WHERE state = 'processing'"),
    rest: {
      settings: await engineOn(database).read(settings),
      queues: (await queues(database)).map(({ counts: _, ...queue }) => queue),
      starts: database.prepare("SELECT queue, at, jobs FROM starts").all() as never,
      deaths: readCounters(database).died,
      lastSeq: lastSeq(database),
    },
    async *batches() {
      yield* batchesOf(database, "jobs", "seq");
      yield* batchesOf(database, "attempts", "key");
      yield* batchesOf(database, "dependencies", "parent, child");
    },
    async seal({ id, place, location }) {
      await database.write(() => {
        database.prepare("INSERT INTO moves (id, direction, place, location) VALUES (?, 'out', ?, ?)")
          .run(id, place, location);
        for (const trigger of sealStatements(location)) database.connection.exec(trigger);
      });
      lock.commit();
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }));

async function* batchesOf(database: Database, table: MovedTable, order: string): AsyncGenerator<Batch> {
  const batcher = createBatcher<Row>();
  const columns = Object.keys(movedColumns[table]).join(", ");
  const flags = Object.entries(movedColumns[table]).filter(([, kind]) => kind === "flag").map(([name]) =>
    name
  );
  const rows = explained(
    database.path,
    () => prepareWide(database.connection, `SELECT ${columns} FROM ${table} ORDER BY ${order}`).iterate(),
  );
  try {
    for (;;) {
      const next = explained(database.path, () => rows.next());
      if (next.done) break;
      const read: Row = next.value;
      for (const flag of flags) read[flag] = read[flag] === 1;
      const row = movedRow(table, read, database.path);
      const complete = batcher.add(row, lengthOf(row));
      if (complete) yield { table, rows: complete };
    }
  } finally {
    rows.return?.();
  }
  const rest = batcher.rest();
  if (rest) yield { table, rows: rest };
}
