/** Makes the schema of a new file, safely with any number of processes starting at once. */

import { failpoint } from "../../base/failpoint.ts";
import { type Database, patiently } from "./database.ts";
import {
  importPythonJobs,
  type PythonBackup,
  removeOtherCopies,
  startPythonBackup,
} from "./python_import.ts";
import { applicationId, schemaVersion } from "./schema.ts";
import { tables } from "./tables.ts";
import { hasSchema, isPythonDatabase } from "./schema_version.ts";

/**
 * Makes the schema in one transaction, or takes over a database of the Python program. Says through `notify` what it made.
 * Throws `newer_schema`, and `database` for a file that belongs to another program.
 */
export async function makeSchema(database: Database, notify: (message: string) => void): Promise<void> {
  const backup = await startPythonBackup(database);
  try {
    // In WAL mode readers and the writer do not wait for each other; the mode stays with the file.
    await patiently(database.path, () => database.connection.exec("PRAGMA journal_mode = WAL"));
    const made = await database.write(() => make(database, backup));
    if (made === undefined) return;
    if (backup) removeOtherCopies(database.path);
    notify(made);
  } finally {
    backup?.discard();
  }
}

/** What was made, in words; undefined where another process has done it meanwhile. */
function make(database: Database, backup: PythonBackup | undefined): string | undefined {
  if (hasSchema(database)) return undefined;
  const python = isPythonDatabase(database);
  if (python) database.connection.exec("ALTER TABLE jobs RENAME TO python_jobs");
  database.connection.exec(tables);
  failpoint("migration");
  let message = "Database schema initialized successfully.";
  if (python) {
    const count = importPythonJobs(database);
    message = `Took over ${count} jobs of the Python program; its database is kept as ${backup!.keep()}`;
  }
  database.connection.exec(
    `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`,
  );
  return message;
}
