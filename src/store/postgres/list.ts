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
  readingOrder,
} from "../selection.ts";
import { jobStates } from "../../job/job.ts";
import { type Span, spansInTurn } from "../key_parts.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./database.ts";
import { narrowed, soonFound } from "./narrowing.ts";
import { type Reading, statementFor } from "./sorting.ts";
import { wayOf, wayOfText } from "./ways.ts";

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
  const rows = await read(
    database,
    run,
    filter,
    "seq",
    (statement) => `SELECT coalesce(string_agg(seq::text, ','), '') AS keys FROM (${statement}) AS listed`,
  );
  return rows.flatMap((row) => "keys" in row ? JSON.parse(`[${text(row, "keys")}]`) : [number(row, "seq")]);
}

/** The rows of a list; `wrap` makes of the statement what is asked for, where it is one. */
async function read(
  given: Database,
  run: Run,
  filter: ListFilter,
  columns: string,
  wrap?: (statement: string) => string,
): Promise<Row[]> {
  const database = dependsOnTime(filter) ? await atOneTime(given, run) : given;
  const isBounded = filter.limit <= mostBounded && !filter.keys && wrap === undefined;
  const soonest = await wayOf(database, run, filter, jobStates, {
    isByAge: isByAge(filter) && filter.limit < Infinity,
    ...isBounded && { mostTagged: leastBounded },
  });
  if (isBounded && soonest.size > leastBounded) {
    const rows = await soonFound(run, { database, filter, columns, way: soonest });
    if (rows !== undefined) return rows;
  }
  const way = filter.keys === undefined ? await wayOfText(run, filter, soonest) : soonest;
  const list = { database, filter, columns, way };
  if (way.spans !== undefined && isByAge(filter) && filter.limit < Infinity) {
    return await readInTurn(run, list, way.spans);
  }
  if (isBounded && way.size > leastBounded && way.spans === undefined) {
    const rows = await narrowed(run, list);
    if (rows !== undefined) return rows;
  }
  const statement = statementFor(list);
  if (statement === undefined) return [];
  return await run(wrap === undefined ? statement.text : wrap(statement.text), statement.parameters);
}

/** Of spans that are read one after the other until there are enough. */
async function readInTurn(run: Run, list: Reading, all: readonly Span[]): Promise<Row[]> {
  const { filter, way } = list;
  let rows: Row[] = [];
  for (const spans of spansInTurn(all, readingOrder(filter).descending, filter.after?.seq)) {
    const limit = filter.limit - rows.length;
    const statement = statementFor({ ...list, way: { ...way, spans }, filter: { ...filter, limit } });
    if (statement !== undefined) rows = rows.concat(await run(statement.text, statement.parameters));
    if (rows.length === filter.limit) break;
  }
  return rows;
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
