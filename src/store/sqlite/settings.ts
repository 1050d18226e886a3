/** The `config` table: names and texts; what they mean is known to config.ts. */

import type { Database } from "./database.ts";
import type { QueueDefaults } from "../queues.ts";
import { queueDefaultsFromRow, queueDefaultsSql, text } from "../rows.ts";

export async function settings(database: Database): Promise<Array<[string, string]>> {
  const rows = await database.read(() =>
    database.prepare("SELECT key, value FROM config ORDER BY key").all()
  );
  return rows.map((row) => [text(row, "key"), text(row, "value")]);
}

/** What queues have for new jobs, by their names. */
export async function queueDefaults(database: Database): Promise<Map<string, QueueDefaults>> {
  const rows = await database.read(() => database.prepare(queueDefaultsSql("queues")).all());
  return new Map(rows.map((row) => [text(row, "name"), queueDefaultsFromRow(row)]));
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
