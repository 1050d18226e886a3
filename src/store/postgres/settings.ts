/** The `config` table: names and texts; what they mean is known to job/settings.ts. */

import { readable } from "../damage.ts";
import type { QueueDefaults } from "../queues.ts";
import { text } from "../columns.ts";
import { queueDefaultsFromRow, queueDefaultsSql } from "../queues.ts";
import type { Database, Row } from "./connection/database.ts";
import { notification } from "./connection/notifications.ts";
import { storable } from "./storable.ts";

export async function settings(database: Database): Promise<Array<[string, string]>> {
  const [rows] = await database.batch([settingsStatement], { readOnly: true });
  return readable(rows, settingFromRow, database.tellDamage);
}

const settingsStatement = { text: 'SELECT key, value FROM queuectl.config ORDER BY key COLLATE "C"' };
const settingFromRow = (row: Row): [string, string] => [text(row, "key"), text(row, "value")];

/** What new jobs are completed by: the settings and, by their names, what queues have for them. */
export async function enqueueDefaults(
  database: Database,
): Promise<{ settings: Array<[string, string]>; queues: Map<string, QueueDefaults> }> {
  const [stored, queues] = await database.batch(
    [settingsStatement, { text: queueDefaultsSql("queuectl.queues") }],
    { readOnly: true },
  );
  return {
    settings: readable(stored, settingFromRow, database.tellDamage),
    queues: new Map(queues.map((row) => [text(row, "name"), queueDefaultsFromRow(row)])),
  };
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
