/** Opens the store that a database URL names: the only place that knows the drivers. */

import { QueuectlError } from "../base/errors.ts";
import type { OpenOptions, Store } from "./store.ts";
import { lazy } from "../base/lazy.ts";

/**
 * Opens the database, brings its schema up to date, and returns its store. Throws `usage` for a URL that no driver
 * knows, `database` when it cannot be used and `newer_schema` when a newer program has written it.
 */
export async function openStore(given: string, options: OpenOptions): Promise<Store> {
  // A file whose name begins with a space is ./ and that; a URL has none.
  const url = given.includes("://") ? given.trim() : given;
  // It comes in the place of bytes that are not UTF-8: another file would be made.
  if (url.includes("\uFFFD")) {
    throw new QueuectlError("usage", `The name of a database must be valid UTF-8: "${url}" is not`);
  }
  const scheme = schemeOf(url);
  if (scheme === "postgres" || scheme === "postgresql") {
    const { openPostgresStore } = await import(
      lazy("./postgres/store.ts")
    ) as typeof import("./postgres/store.ts");
    return await openPostgresStore(url, options);
  }
  // Hardly any path has one of these: the words for what is meant are loaded then.
  if (/=|["'\w]{2}:/.test(url)) {
    const { refuseOtherForms } = await import("./database_form.ts");
    refuseOtherForms(url);
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

/** Undefined for a path. */
const schemeOf = (url: string): string | undefined =>
  /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1].toLowerCase();
