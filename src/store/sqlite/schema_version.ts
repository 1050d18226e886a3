/** Whose database a file is, and whether it has the schema. Apart from make_schema.ts, which few starts need. */

import { QueuectlError } from "../../base/errors.ts";
import { otherSchema } from "../errors.ts";
import type { Database } from "./database.ts";
import { applicationId, schemaVersion } from "./schema.ts";

/**
 * Whether the file has the schema; false for an empty one, and for that of the Python program. Throws `newer_schema` and
 * `database` when the file is not for this program to change.
 */
export function hasSchema(database: Database): boolean {
  const version = Number(database.connection.prepare("PRAGMA user_version").get()!.user_version);
  const application = Number(database.connection.prepare("PRAGMA application_id").get()!.application_id);
  if (application === applicationId) {
    if (version === schemaVersion) return true;
    if (version < 1) {
      throw new QueuectlError(
        "database",
        `The database ${database.path} is damaged: its schema has no number`,
      );
    }
    throw otherSchema(database.path, version, schemaVersion);
  }
  const tables = database.connection.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n;
  if (application === 0 && version === 0 && (tables === 0 || isPythonDatabase(database))) return false;
  throw new QueuectlError("database", `The database ${database.path} belongs to another program`);
}

const pythonColumns =
  "id,command,state,attempts,max_retries,created_at,updated_at,next_attempt_at,last_error,output";

/** Whether the file holds exactly the tables of the Python program; it has no version mark. */
export function isPythonDatabase(database: Database): boolean {
  const columns = database.connection.prepare("SELECT name FROM pragma_table_info('jobs')").all();
  return columns.map((column) => column.name).join() === pythonColumns;
}
