/** The `config` table: names and texts; what they mean is known to job/settings.ts. */

import type { Database } from "./database.ts";
import { readable } from "../damage.ts";
import type { QueueDefaults } from "../queues.ts";
import { text } from "../columns.ts";
import { queueDefaultsFromRow, queueDefaultsSql } from "../queues.ts";

export const settings = (database: Database): Promise<Array<[string, string]>> =>
  database.read(() => readSettings(database));

const readSettings = (database: Database): Array<[string, string]> =>
  readable(
    database.prepare("SELECT key, value FROM config ORDER BY key").all(),
    (row) => [text(row, "key"), text(row, "value")],
    database.tellDamage,
  );

/** What new jobs are completed by: the settings and, by their names, what queues have for them. */
export async function enqueueDefaults(
  database: Database,
): Promise<{ settings: Array<[string, string]>; queues: Map<string, QueueDefaults> }> {
  return await database.read(() => {
    const rows = database.prepare(queueDefaultsSql("queues")).all();
    return {
      settings: readSettings(database),
      queues: new Map(rows.map((row) => [text(row, "name"), queueDefaultsFromRow(row)])),
    };
  });
}

export async function setSetting(database: Database, name: string, value: string): Promise<void> {
  await database.write(() =>
    database.prepare(
      "INSERT INTO config VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
      .run(name, value)
  );
}

/** False when it was not set. */
export async function unsetSetting(database: Database, name: string): Promise<boolean> {
  return await database.write(() =>
    database.prepare("DELETE FROM config WHERE key = ?").run(name).changes === 1
  );
}
