/** Lists of jobs. Each is one transaction that reads one state of the database. */

import { jobColumns, jobFromRow, number, text } from "../rows.ts";
import {
  isByAge,
  leastBounded,
  type ListedJob,
  type ListFilter,
  mostBounded,
  type PageOfKeys,
  type Position,
  positionOf,
} from "../selection.ts";
import { jobStates } from "../../job/job.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./database.ts";
import { narrowed } from "./narrowing.ts";
import { statementFor } from "./sorting.ts";
import { wayOf } from "./ways.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  const jobs = (await reading(database, (run) => read(database, run, filter, jobColumns))).map(jobFromRow);
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
  database.transaction(body, { readOnly: true, pace: "slow" });

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
  return row === undefined ? [] : JSON.parse(`[${text(row, "keys")}]`);
}

/** The rows of a list; `wrap` makes of the statement what is asked for. */
async function read(
  given: Database,
  run: Run,
  filter: ListFilter,
  columns: string,
  wrap?: (statement: string) => string,
): Promise<Row[]> {
  const database = dependsOnTime(filter) ? await atOneTime(given, run) : given;
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
}

/** Whether jobs come to be of a filter, or cease to be, without a change: as their time comes, or as they grow older. */
const dependsOnTime = ({ kinds, createdSince, unchangedSince }: ListFilter): boolean =>
  kinds?.some((kind) => kind === "waiting" || kind === "scheduled") ||
  [createdSince, unchangedSince].some((moment) => moment !== undefined && "ago" in moment);

/** The database with the present time as the time of all statements: else it goes on between those of one list. */
async function atOneTime(database: Database, run: Run): Promise<Database> {
  const [row] = await run(`SELECT ${timeSql("$1")} AS now`, [database.now()]);
  const now = number(row, "now");
  return { ...database, now: () => now };
}
