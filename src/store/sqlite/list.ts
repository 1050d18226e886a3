/** Lists of jobs. */

import { readable, soundKeys } from "../damage.ts";
import { listStatement } from "../filter_sql.ts";
import { jobColumns, jobFromRow } from "../rows.ts";
import {
  isByAge,
  type ListedJob,
  type ListFilter,
  type PageOfKeys,
  type Position,
  positionOf,
} from "../selection.ts";
import type { Database } from "./database.ts";
import { choiceFor, createDialect, type SqliteDialect } from "./selection.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  return await database.read(() => {
    const { sort, limit } = filter;
    // In another order their keys are sorted, which is less to carry about; the jobs are then read by those.
    const wanted = isByAge(filter) || filter.keys !== undefined
      ? filter
      : { keys: readKeys(database, filter), sort, limit };
    const found = statementFor(database, wanted, jobColumns);
    if (found === undefined) return [];
    const rows = database.prepare(found.statement).all(...found.dialect.parameters);
    const jobs = readable(rows, jobFromRow, database.tellDamage);
    return sort === undefined ? jobs.reverse() : jobs;
  });
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  return await database.read(() => {
    const keys = readKeys(database, filter);
    return filter.sort === undefined ? keys.reverse() : keys;
  });
}

/** The keys of a page of those jobs. */
export async function pageOfKeys(database: Database, filter: ListFilter): Promise<PageOfKeys> {
  return await database.read(() => {
    const { sort, limit } = filter;
    const keys = readKeys(database, { ...filter, limit: limit + 1 });
    let end: Position | null = null;
    if (keys.length > limit) {
      keys.pop();
      const row = database.prepare(`SELECT ${jobColumns} FROM jobs WHERE seq = ?`).get(keys.at(-1)!)!;
      end = positionOf(jobFromRow(row), sort?.by ?? "created");
    }
    return { keys: sort === undefined ? keys.reverse() : keys, end };
  });
}

/** In the order in which they are read. */
function readKeys(database: Database, filter: ListFilter): number[] {
  const found = statementFor(database, filter, "seq");
  if (found === undefined) return [];
  // As one value: a row for each would take ten times the memory.
  const { keys } = database.prepare(`SELECT json_group_array(seq) AS keys FROM (${found.statement})`)
    .get(...found.dialect.parameters)!;
  return soundKeys(JSON.parse(keys as string), database.tellDamage);
}

function statementFor(
  database: Database,
  filter: ListFilter,
  columns: string,
): { statement: string; dialect: SqliteDialect } | undefined {
  const dialect = createDialect(database);
  const choice = choiceFor(database, dialect, filter);
  return choice && { statement: listStatement(dialect, filter, choice, columns), dialect };
}
