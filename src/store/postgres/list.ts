/** Lists of jobs. */

import { jobColumns, jobFromRow, text } from "../rows.ts";
import { isByAge, leastBounded, type ListedJob, type ListFilter, mostBounded } from "../selection.ts";
import { jobStates } from "../../job/job.ts";
import type { Database, Row } from "./database.ts";
import { narrowed } from "./narrowing.ts";
import { statementFor } from "./sorting.ts";
import { wayOf } from "./ways.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  const jobs = (await read(database, filter, jobColumns)).map(jobFromRow);
  return filter.sort === undefined ? jobs.reverse() : jobs;
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  // As one value: a row for each would take ten times the memory.
  const [row] = await read(
    database,
    filter,
    "seq",
    (statement) => `SELECT coalesce(string_agg(seq::text, ','), '') AS keys FROM (${statement}) AS listed`,
  );
  const list = row === undefined ? [] : JSON.parse(`[${text(row, "keys")}]`) as number[];
  return filter.sort === undefined ? list.reverse() : list;
}

/** The rows of a list; `wrap` makes of the statement what is asked for. */
async function read(
  database: Database,
  filter: ListFilter,
  columns: string,
  wrap?: (statement: string) => string,
): Promise<Row[]> {
  return await database.transaction(async (run) => {
    const isBounded = filter.limit <= mostBounded && !filter.keys && wrap === undefined;
    const way = await wayOf(database, run, filter, jobStates, {
      isByAge: isByAge(filter) && filter.limit < Infinity,
      ...isBounded && { mostTagged: leastBounded },
    });
    const list = { database, filter, columns, way };
    if (isBounded && way.size > leastBounded) {
      const rows = await narrowed(run, list);
      if (rows !== undefined) return rows;
    }
    const statement = statementFor(list);
    if (statement === undefined) return [];
    return await run(wrap === undefined ? statement.text : wrap(statement.text), statement.parameters);
  }, { readOnly: true, pace: "slow" });
}
