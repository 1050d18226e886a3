/** The `config` table: names and texts; what they mean is known to config.ts. */

import type { QueueDefaults } from "../queues.ts";
import { queueDefaultsFromRow, queueDefaultsSql, text } from "../rows.ts";
import type { Database } from "./database.ts";
import { notification } from "./notifications.ts";
import { storable } from "./storable.ts";

export async function settings(database: Database): Promise<Array<[string, string]>> {
  const [rows] = await database.batch(
    [{ text: 'SELECT key, value FROM queuectl.config ORDER BY key COLLATE "C"' }],
    { readOnly: true },
  );
  return rows.map((row) => [text(row, "key"), text(row, "value")]);
}

/** What queues have for new jobs, by their names. */
export async function queueDefaults(database: Database): Promise<Map<string, QueueDefaults>> {
  const [rows] = await database.batch([{ text: queueDefaultsSql("queuectl.queues") }], { readOnly: true });
  return new Map(rows.map((row) => [text(row, "name"), queueDefaultsFromRow(row)]));
}

export async function setSetting(database: Database, name: string, value: string): Promise<void> {
  await database.batch([
    {
      text:
        "INSERT INTO queuectl.config VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      parameters: [storable(name), storable(value)],
    },
    notification(database),
  ]);
}

/** False when it was not set. */
export async function unsetSetting(database: Database, name: string): Promise<boolean> {
  const [rows] = await database.batch([
    { text: "DELETE FROM queuectl.config WHERE key = $1 RETURNING key", parameters: [storable(name)] },
    notification(database),
  ], { unknown: "tell" });
  return rows.length === 1;
}
