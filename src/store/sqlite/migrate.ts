/** Brings a file to the newest schema, safely with any number of processes starting at once. */

import { QueuectlError } from "../../errors.ts";
import { failpoint } from "../../failpoint.ts";
import { type Database, patiently } from "./database.ts";
import {
  importPythonJobs,
  isPythonDatabase,
  type PythonBackup,
  removeOtherCopies,
  startPythonBackup,
} from "./python_import.ts";
import { applicationId, migrations } from "./schema.ts";

/**
 * Applies the missing steps in one transaction, and takes over a database of the Python program. Says through
 * `notify` what it made. Throws `newer_schema`, and `database` for a file that belongs to another program.
 */
export async function migrate(database: Database, notify: (message: string) => void): Promise<void> {
  if (await database.read(() => readVersion(database)) === migrations.length) return;
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

/** The number of steps that the file has seen. Throws when the file is not for this program to change. */
function readVersion(database: Database): number {
  const version = Number(database.connection.prepare("PRAGMA user_version").get()!.user_version);
  const application = Number(database.connection.prepare("PRAGMA application_id").get()!.application_id);
  if (application === applicationId) {
    if (version < 1) {
      throw new QueuectlError(
        "database",
        `The database ${database.path} is damaged: its schema has no number`,
      );
    }
    if (version <= migrations.length) return version;
    throw new QueuectlError(
      "newer_schema",
      `The database ${database.path} has schema ${version}, this queuectl knows up to ${migrations.length}; ` +
        "use a newer queuectl",
    );
  }
  const tables = database.connection.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n;
  if (application === 0 && version === 0 && (tables === 0 || isPythonDatabase(database))) return 0;
  throw new QueuectlError("database", `The database ${database.path} belongs to another program`);
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
