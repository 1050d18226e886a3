/** Every driver, for tests of what a queue does whichever engine is under it. */

import type { OpenDatabase } from "../store/suite/harness.ts";
import {
  assertSound as assertPostgresSound,
  postgresDatabase,
  postgresSchema,
  postgresServer,
} from "./postgres_database.ts";
import { assertSound as assertSqliteSound, sqliteDatabase } from "./sqlite_database.ts";

/** Where a queue is that does not exist yet. */
export interface Place {
  /** What `--db` and `QUEUECTL_DB` are given. */
  url: string;
  /** The invariants hold. */
  assertSound(): Promise<void>;
}

export interface Driver {
  name: "sqlite" | "postgres";
  /** There is no server here: its tests are only counted. */
  ignore: boolean;
  /** Makes an empty database whose stores take their time from a clock. */
  open: OpenDatabase;
  /** A place for a new queue; a file is in `folder`, anything else is removed when it is disposed of. */
  place(folder: string): Place & AsyncDisposable;
}

export const drivers: readonly Driver[] = [
  {
    name: "sqlite",
    ignore: false,
    open: sqliteDatabase,
    place(folder) {
      const url = `${folder}/queuectl.db`;
      return {
        url,
        assertSound: () => Promise.resolve(assertSqliteSound(url)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  },
  {
    name: "postgres",
    ignore: postgresServer === undefined,
    open: postgresDatabase,
    place() {
      const schema = postgresSchema();
      return { ...schema, assertSound: () => assertPostgresSound(schema.schema) };
    },
  },
];
