/** Lists of jobs. */

import { jobColumns, jobFromRow } from "../rows.ts";
import { type ListedJob, type ListFilter, readingOrder, sortColumn } from "../selection.ts";
import type { Database } from "./database.ts";
import { type Condition, conditionFor } from "./selection.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  return await database.read(() => {
    const query = queryFor(database, filter, jobColumns);
    if (query === undefined) return [];
    const jobs = database.prepare(query.sql).all(query.parameters).map(jobFromRow);
    return filter.sort === undefined ? jobs.reverse() : jobs;
  });
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  return await database.read(() => {
    const query = queryFor(database, filter, "seq");
    if (query === undefined) return [];
    // As one value: a row for each would take ten times the memory.
    const { keys } = database.prepare(`SELECT json_group_array(seq) AS keys FROM (${query.sql})`)
      .get(query.parameters)!;
    const list = JSON.parse(keys as string) as number[];
    return filter.sort === undefined ? list.reverse() : list;
  });
}

function queryFor(database: Database, filter: ListFilter, columns: string): Condition | undefined {
  const condition = conditionFor(database, filter);
  if (condition === undefined) return undefined;
  const { by, descending } = readingOrder(filter);
  const { from, key, parameters } = condition;
  const conditions = [condition.sql];
  const column = by === "created" ? key : sortColumn[by];
  const way = descending ? "DESC" : "ASC";
  if (filter.after !== undefined) {
    conditions.push(`(${column}, ${key}) ${descending ? "<" : ">"} (:value, :seq)`);
    Object.assign(parameters, { value: filter.after.value, seq: filter.after.seq });
  }
  if (filter.keys !== undefined) {
    conditions.push(`${key} IN (SELECT value FROM json_each(:keys))`);
    parameters.keys = JSON.stringify(filter.keys);
  }
  // What is infinite to us is negative to SQLite.
  parameters.limit = filter.limit === Infinity ? -1 : filter.limit;
  const order = by === "created" ? `${key} ${way}` : `${column} ${way}, ${key} ${way}`;
  return {
    sql: `SELECT ${columns} FROM ${from} WHERE ${
      conditions.join(" AND ")
    } ORDER BY ${order} LIMIT :limit + 0`,
    parameters,
  };
}
