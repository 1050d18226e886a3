/** Opens the store that a database URL names: the only place that knows the drivers. */

import { QueuectlError } from "../errors.ts";
import type { OpenOptions, Store } from "./store.ts";
import { later } from "../later.ts";

/**
 * Opens the database, brings its schema up to date, and returns its store. Throws `usage` for a URL that no driver
 * knows, `database` when it cannot be used and `newer_schema` when a newer program has written it.
 */
export async function openStore(url: string, options: OpenOptions): Promise<Store> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1].toLowerCase();
  if (scheme === "postgres" || scheme === "postgresql") {
    const { openPostgresStore } = await import(
      later("./postgres/store.ts")
    ) as typeof import("./postgres/store.ts");
    return await openPostgresStore(url, options);
  }
  if (scheme) {
    throw new QueuectlError(
      "usage",
      `No driver for a "${scheme}" database; give the path of a SQLite file, or a postgres:// URL`,
    );
  }
  const { openSqliteStore } = await import("./sqlite/store.ts");
  return await openSqliteStore(url, options);
}
