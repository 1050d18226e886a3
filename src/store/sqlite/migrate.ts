/** Brings a file to the newest schema, safely with any number of processes starting at once. */

import { failpoint } from "../../base/failpoint.ts";
import { type Database, patiently } from "./database.ts";
import {
  importPythonJobs,
  type PythonBackup,
  removeOtherCopies,
  startPythonBackup,
} from "./python_import.ts";
import { migrations } from "./migrations.ts";
import { applicationId } from "./schema.ts";
import { isPythonDatabase, readVersion } from "./schema_version.ts";

/**
 * Applies the missing steps in one transaction, and takes over a database of the Python program. Says through
 * `notify` what it made. Throws `newer_schema`, and `database` for a file that belongs to another program.
 */
export async function migrate(database: Database, notify: (message: string) => void): Promise<void> {
  const backup = await startPythonBackup(database);
  try {
    // In WAL mode readers and the writer do not wait for each other; the mode stays with the file.
    await patiently(database.path, () => database.connection.exec("PRAGMA journal_mode = WAL"));
    const made = await database.write(() => applyMissing(database, backup));
    if (made === undefined) return;
    if (backup) removeOtherCopies(database.path);
    notify(made);
  } finally {
    backup?.discard();
  }
}

/** What was made, in words; undefined where another process has done it meanwhile, or it was only brought up to date. */
function applyMissing(database: Database, backup: PythonBackup | undefined): string | undefined {
  const version = readVersion(database);
  if (version === migrations.length) return undefined;
  const python = version === 0 && isPythonDatabase(database);
  if (python) database.connection.exec("ALTER TABLE jobs RENAME TO python_jobs");
  for (const step of migrations.slice(version)) database.connection.exec(step);
  failpoint("migration");
  let message = version === 0 ? "Database schema initialized successfully." : undefined;
  if (python) {
    const count = importPythonJobs(database);
    message = `Took over ${count} jobs of the Python program; its database is kept as ${backup!.keep()}`;
  }
  database.connection.exec(
    `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`,
  );
  return message;
}
