/** How a few of very many jobs are found, in an order for which there is no index: without reading all of them. */

import { jobStates } from "../../job/job.ts";
import { number, text } from "../rows.ts";
import {
  asksForMore,
  isByAge,
  isInPart,
  type ListFilter,
  mostWalked,
  type Order,
  type Part,
  partsOf,
  type Position,
  readingOrder,
  sortColumn,
  stateList,
  statesOf,
  walkOf,
} from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database, Row, Run } from "./database.ts";
import { createParameters, isOfState, pastAll, waysOfKind } from "./selection.ts";
import { comparison, type How, isText, type Reading, statementFor } from "./sorting.ts";
import { asArray } from "./storable.ts";
import { lastKeyBefore } from "./ways.ts";

type Ask = (how: How, columns?: string) => Promise<Row[]>;

/** The rows of a list of very many jobs, where enough of them are among the first by age or by id; else undefined. */
export async function soonFound(run: Run, reading: Reading): Promise<Row[] | undefined> {
  const { database, filter, way } = reading;
  if (way.tag !== undefined || isInOrderOfIndex(reading)) return undefined;
  const ask = askerFor(run, reading);
  let rows: Row[];
  if (isByAge(filter) && filter.kinds !== undefined) {
    const { keys, isWhole } = await walkPart(database, run, whole, readingOrder(filter), filter);
    rows = await ask({ isUnordered: true, others: areAmong(keys) });
    if (isWhole) return rows;
  } else if (isByAge(filter) || readingOrder(filter).by === "id") {
    const end = isByAge(filter) ? await endOfKeys(run, filter) : await endOfIds(run, filter);
    if (end === undefined) return undefined;
    rows = await ask({ end, isWhole: true });
  } else return undefined;
  return rows.length === filter.limit ? rows : undefined;
}

/** There is an index on these alone. */
const isInOrderOfIndex = ({ filter, way }: Reading): boolean =>
  (isByAge(filter) || readingOrder(filter).by === "state") && (way.tag !== undefined || !asksForMore(filter));

const askerFor = (run: Run, reading: Reading): Ask => async (how, columns = reading.columns) => {
  const statement = statementFor({ ...reading, columns }, how);
  return statement === undefined ? [] : await run(statement.text, statement.parameters);
};

/** The rows of a list of very many jobs, where there is a quicker way to the first of them; else undefined. */
export async function narrowed(run: Run, reading: Reading): Promise<Row[] | undefined> {
  const { database, filter, way } = reading;
  const { by, descending } = readingOrder(filter);
  if (isInOrderOfIndex(reading)) return undefined;
  const ask = askerFor(run, reading);
  const isByTag = way.tag !== undefined;
  const walkedRows = isByTag ? undefined : await walked(database, run, filter, ask);
  if (walkedRows !== undefined) return walkedRows;
  const isFew = way.size <= mostByIndex;
  // On when they were updated there is an index of a kind.
  if (isFew && by !== "updated") return undefined;
  const bounds = await boundsOf(run, filter, ask);
  // There are many of them: an index soon comes to enough.
  if (isByAge(filter) && bounds.length > 0) return await ask({});
  await run("SET LOCAL enable_sort = on; SET LOCAL enable_bitmapscan = on");
  for (const { end } of bounds) {
    let others: How["others"];
    if (by === "updated" && !descending) {
      // What was changed last before that was there before that.
      const most = await lastKeyBefore(database, run, { at: Number(end.value) });
      others = (key, parameters) => [`${key} <= ${parameters.add(most)}::bigint`];
    } else await run(pastAll);
    const rows = await ask({ isUnordered: true, end, others });
    if (rows.length === filter.limit) return rows;
  }
  if (isFew) return undefined;
  await run(pastAll);
  return await ask({ isUnordered: true });
}

/** A place in the order up to which there are enough jobs: for sure, or most probably. */
interface Bound {
  end: Position;
  isSure: boolean;
}

/** Up to how many jobs are rather read by their index than past all others. */
const mostByIndex = 200_000;

/** Up to how many jobs at either end of the keys, and about how many elsewhere, are looked at for a bound. */
const [atEnds, elsewhere] = [1100, 5000];

/** As many jobs of some pages among all stand for thousands. */
const enough = 100;

/** From the nearest bound on to one that is sure; none where none is to be seen. */
async function boundsOf(run: Run, filter: ListFilter, ask: Ask): Promise<Bound[]> {
  const [{ first, last }] = await run("SELECT min(seq) AS first, max(seq) AS last FROM queuectl.jobs");
  if (first === null) return [];
  const [least, most] = [Number(first), Number(last)];
  const { by, descending } = readingOrder(filter);
  const among = async (how: How): Promise<Bound[]> => {
    const value = isByAge(filter) ? "seq" : sortColumn[by];
    const rows = await ask({ isUnordered: true, ...how }, `${value} AS value, seq`);
    const ranks = [filter.limit, ...how.percent && filter.limit > enough ? [enough] : []];
    return ranks.filter((rank) => rank > 0 && rows.length >= rank).map((rank) => {
      const row = rows[rank - 1];
      const end = { value: isText(by) ? text(row, "value") : number(row, "value"), seq: number(row, "seq") };
      return { end, isSure: rank === filter.limit };
    });
  };
  const between = (from: number, to: number) =>
    among({
      others: (key, parameters) => [
        `${key} BETWEEN ${parameters.add(from)}::bigint AND ${parameters.add(to)}::bigint`,
      ],
    });
  const found = [
    ...await between(least, least + atEnds),
    ...await between(most - atEnds, most),
    // Pages, each with a few dozen: the same number of jobs by their keys would take as many reads.
    ...await among({ percent: Math.min(100, 100 * elsewhere / (most - least + 1)) }),
  ];
  // The nearest leaves the fewest to be sorted.
  const sign = descending ? -1 : 1;
  found.sort(({ end: a }, { end: b }) => a.value < b.value ? -sign : a.value > b.value ? sign : 0);
  const sure = found.findIndex(({ isSure }) => isSure);
  return sure === -1 ? found : found.slice(0, sure + 1);
}

/** The rows, where they are soon found in the parts of their order; else undefined. */
async function walked(
  database: Database,
  run: Run,
  filter: ListFilter,
  ask: Ask,
): Promise<Row[] | undefined> {
  const order = readingOrder(filter);
  const parts = partsOf(order, filter.after);
  if (parts === undefined) return undefined;
  const rows: Row[] = [];
  for (const part of parts) {
    const { keys, isWhole } = await walkPart(database, run, part, order, filter);
    const others = areAmong(keys, isInPart(sortColumn[order.by], part));
    rows.push(...await ask({ isUnordered: true, others }));
    if (rows.length >= filter.limit) return rows.slice(0, filter.limit);
    if (!isWhole) return undefined;
  }
  return rows;
}

/** All jobs, as a part of their order by age. */
const whole: Part = { least: -Infinity, most: Infinity };

/** Holds for jobs with these keys for which something else holds too. */
const areAmong = (keys: readonly number[], ...conditions: string[]): How["others"] => (key, parameters) => [
  `${key} = ANY(${parameters.add(asArray(keys))}::bigint[])`,
  ...conditions,
];

/**
 * The first keys behind a place among which all that may be of a part are: of others too, where these have no index, but
 * of no other kinds than are asked for. `isWhole` says that these are all there are.
 */
async function walkPart(
  database: Database,
  run: Run,
  part: Part,
  order: Order,
  { kinds, after }: ListFilter,
): Promise<{ keys: number[]; isWhole: boolean }> {
  const walk = walkOf(order, part, after);
  let parameters = createParameters();
  const now = () => `(SELECT ${timeSql(parameters.add(database.now()))})`;
  const { by, descending, keysDescend } = walk.order;
  const column = sortColumn[by];
  const ways = [descending, keysDescend].map((isDescending) => isDescending ? "DESC" : "ASC");
  const read = async (...conditions: string[]) => {
    if (walk.after !== undefined) {
      conditions.push(comparison(walk.order, column, "seq", walk.after, parameters, false));
    }
    const rows = await run(
      `SELECT seq FROM queuectl.jobs WHERE ${conditions.join(" AND ") || "true"}
       ORDER BY ${conditions.some(isOfState) ? `state ${ways[0]}, ` : ""}${column} ${ways[0]}, seq ${
        ways[1]
      } LIMIT ${mostWalked}`,
      parameters.values,
    );
    return rows.map((row) => number(row, "seq"));
  };
  if (part.indexed !== undefined) {
    const states = part.hasState && kinds !== undefined ? [`state IN (${stateList(statesOf(kinds))})`] : [];
    const keys = await read(part.indexed, isInPart(column, part), ...states);
    return { keys, isWhole: keys.length < mostWalked };
  }
  const walks: number[][] = [];
  if (kinds === undefined) walks.push(await read());
  for (const way of new Set(kinds).values().flatMap((kind) => waysOfKind(kind, jobStates, now))) {
    parameters = createParameters();
    walks.push(await read(way()));
  }
  // Behind the first end there may be others.
  const ends = walks.filter(({ length }) => length === mostWalked).map((keys) => keys.at(-1)!);
  const end = descending ? Math.max(...ends, -Infinity) : Math.min(...ends, Infinity);
  const isBefore = (key: number) => ends.length === 0 || (descending ? key >= end : key <= end);
  return { keys: walks.flat().filter(isBefore), isWhole: ends.length === 0 };
}

/** The place up to which jobs are read by their keys before all are; undefined where there are no more. */
async function endOfKeys(run: Run, filter: ListFilter): Promise<Position | undefined> {
  const { descending } = readingOrder(filter);
  const [{ seq }] = await run(`SELECT ${descending ? "max" : "min"}(seq) AS seq FROM queuectl.jobs`);
  const start = filter.after?.seq ?? (seq === null ? undefined : Number(seq));
  if (start === undefined) return undefined;
  const end = descending ? start - mostWalked : start + mostWalked;
  return { value: end, seq: end };
}

/** The same by their ids. */
async function endOfIds(run: Run, filter: ListFilter): Promise<Position | undefined> {
  const [way, sign] = readingOrder(filter).descending ? ["DESC", "<="] : ["ASC", ">="];
  const condition = filter.after === undefined ? "" : `WHERE id ${sign} $1::text COLLATE "C"`;
  const [row] = await run(
    `SELECT id, seq FROM queuectl.jobs ${condition} ORDER BY id ${way} LIMIT 1 OFFSET ${mostWalked}`,
    filter.after === undefined ? [] : [filter.after.value],
  );
  return row === undefined ? undefined : { value: text(row, "id"), seq: number(row, "seq") };
}
