/** Lists of jobs. Each is one transaction that reads one state of the database. */

import { readable } from "../damage.ts";
import { listStatement } from "../filter_sql.ts";
import { jobColumns, jobFromRow, text } from "../rows.ts";
import { type ListedJob, type ListFilter, type PageOfKeys, type Position, positionOf } from "../selection.ts";
import type { Database, Row, Run } from "./connection/database.ts";
import { choiceFor, createDialect, createParameters } from "./selection.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  const rows = await reading(database, (run) => read(database, run, filter, jobColumns));
  const jobs = readable(rows, jobFromRow, database.tellDamage);
  return filter.sort === undefined ? jobs.reverse() : jobs;
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  const keys = await reading(database, (run) => readKeys(database, run, filter));
  return filter.sort === undefined ? keys.reverse() : keys;
}

/** The keys of a page of those jobs. */
export async function pageOfKeys(database: Database, filter: ListFilter): Promise<PageOfKeys> {
  return await reading(database, async (run) => {
    const { sort, limit } = filter;
    const keys = await readKeys(database, run, { ...filter, limit: limit + 1 });
    let end: Position | null = null;
    if (keys.length > limit) {
      keys.pop();
      const [row] = await run(`SELECT ${jobColumns} FROM queuectl.jobs WHERE seq = $1::bigint`, [
        keys.at(-1),
      ]);
      end = positionOf(jobFromRow(row), sort?.by ?? "created");
    }
    return { keys: sort === undefined ? keys.reverse() : keys, end };
  });
}

const reading = <T>(database: Database, body: (run: Run) => Promise<T>): Promise<T> =>
  database.transaction(body, { readOnly: true, pace: "slow", planned: true });

/** In the order in which they are read. */
async function readKeys(database: Database, run: Run, filter: ListFilter): Promise<number[]> {
  // As one value: a row for each would take ten times the memory.
  const [row] = await read(
    database,
    run,
    filter,
    "seq",
    (statement) => `SELECT coalesce(string_agg(seq::text, ','), '') AS keys FROM (${statement}) AS listed`,
  );
  return JSON.parse(`[${text(row, "keys")}]`);
}

/** The rows of a list; `wrap` makes of the statement what is asked for. */
async function read(
  database: Database,
  run: Run,
  filter: ListFilter,
  columns: string,
  wrap = (statement: string) => statement,
): Promise<Row[]> {
  const parameters = createParameters();
  const dialect = createDialect(database, parameters);
  const choice = choiceFor(dialect, filter);
  return await run(wrap(listStatement(dialect, filter, choice, columns)), parameters.values);
}
