/** The `config` table: names and texts; what they mean is known to job/settings.ts. */

import { settingFromRow } from "../rows.ts";
import { readable } from "../damage.ts";
import type { Sql, Steps } from "../sql.ts";

/** All that are stored, by their names. */
export function* settings(sql: Sql): Steps<Array<[string, string]>> {
  const rows = yield* sql`SELECT key, value FROM queuectl.config`;
  return readable(rows, settingFromRow, sql.tellDamage).sort(([a], [b]) => a < b ? -1 : 1);
}

export function* setSetting(sql: Sql, name: string, value: string): Steps<void> {
  yield* sql`
    INSERT INTO queuectl.config VALUES (${name}, ${value})
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
  yield* sql.announce();
}

/** False when it was not set. */
export function* unsetSetting(sql: Sql, name: string): Steps<boolean> {
  const rows = yield* sql`DELETE FROM queuectl.config WHERE key = ${name} RETURNING key`;
  yield* sql.announce();
  return rows.length === 1;
}
