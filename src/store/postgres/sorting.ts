/** How a list is read: in its order by an index, or a few of very many jobs without one. */

import { jobStates } from "../../job/job.ts";
import { number, text } from "../rows.ts";
import {
  asksForMore,
  isByAge,
  isCreatedUpTo,
  isInPart,
  type ListFilter,
  mostWalked,
  type Order,
  type Part,
  partsOf,
  type Position,
  readingOrder,
  sampleOf,
  type Sort,
  sortColumn,
  walkOf,
} from "../selection.ts";
import type { Database, Row, Run, Statement } from "./database.ts";
import { choiceFor, createParameters, type Parameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import type { Way } from "./ways.ts";

/** A list that is to be read. */
export interface Reading {
  database: Database;
  filter: ListFilter;
  columns: string;
  way: Way;
}

interface How {
  /** Only up to this place, which is among them. */
  end?: Position;
  /** By an expression: the server would rather look jobs up in their order than read all there are. */
  isUnordered?: boolean;
  /** In the order of the ids without a look at what else is asked for. */
  isWhole?: boolean;
  /** Further conditions. */
  others?: (key: string, parameters: Parameters) => string[];
}

/** Reads a list; undefined where there can be nothing. */
export function statementFor(
  { database, filter, columns, way }: Reading,
  how: How = {},
): Statement | undefined {
  const { end, isUnordered = false, isWhole = false, others: further } = how;
  const parameters = createParameters();
  const isOne = way.tag !== undefined || isUnordered;
  const { from, key, conditions, areOfStates } = choiceFor(
    database,
    filter,
    parameters,
    way,
    jobStates,
    isOne,
  );
  if (conditions.length === 0) return undefined;
  const order = readingOrder(filter);
  const { by, descending } = order;
  const direction = descending ? "DESC" : "ASC";
  const keyDirection = order.keysDescend ? "DESC" : "ASC";
  const column = by === "created" ? key : sortColumn[by];
  // By an expression the server cannot go by the ids, where it would look up all jobs to find those few.
  const isAll = way.size === Infinity && !asksForMore(filter);
  const isPlain = !isUnordered && (by !== "id" || isWhole || isAll);
  const value = by === "created"
    ? (isPlain ? key : `${key} + 0`)
    : isPlain
    ? column
    : `${column}${nothing(by)}`;
  const others = further?.(key, parameters) ?? [];
  if (end !== undefined) {
    others.push(comparison(order, column, key, end, parameters, true));
    // What was changed last before that was there before that.
    if (by === "updated" && !descending) {
      others.push(isCreatedUpTo(key, "queuectl.jobs", `${parameters.add(end.value)}::bigint`));
    }
  }
  if (filter.after !== undefined) {
    others.push(comparison(order, column, key, filter.after, parameters, false));
  }
  if (filter.keys !== undefined) {
    others.push(`${key} = ANY(${parameters.add(asArray(filter.keys))}::bigint[])`);
  }
  // Before what takes longer.
  const rest = others.map((condition) => `${condition} AND `).join("");
  const limit = filter.limit === Infinity ? "" : `LIMIT ${parameters.add(filter.limit)}::bigint`;
  const state = by === "created" && areOfStates && !isUnordered ? `state ${direction}, ` : "";
  const select = (condition: string, what = columns) =>
    `SELECT ${what} FROM ${from} WHERE ${rest}(${condition})
     ORDER BY ${state}${value} ${direction}, ${key} ${keyDirection} ${limit}`;
  // The index on the state gives the jobs of one state in their order, those of several it does not. A job may be of two
  // kinds.
  const statement = conditions.length === 1
    ? select(conditions[0])
    : `SELECT ${columns} FROM (${
      conditions.map((condition) => `(${select(condition, `${columns}, ${column} AS place`)})`).join(
        " UNION ",
      )
    }) AS each ORDER BY place ${direction}, seq ${keyDirection} ${limit}`;
  return { text: statement, parameters: parameters.values };
}

/** Makes of a column a value that no index has. */
const nothing = (by: Sort["by"]) => isText(by) ? " || ''" : " + 0";

const isText = (by: Sort["by"]) => by === "state" || by === "id";

/** Holds behind a place in an order; `isUpTo`: for that place, and before it. */
function comparison(
  { by, descending, keysDescend }: Order,
  column: string,
  key: string,
  { value, seq }: Position,
  parameters: Parameters,
  isUpTo: boolean,
): string {
  const [sign, keySign] = [descending, keysDescend].map((each) => each !== isUpTo ? "<" : ">");
  const last = isUpTo ? "=" : "";
  const place = `${parameters.add(value)}${isText(by) ? `::text COLLATE "C"` : "::bigint"}`;
  const keyPlace = `${parameters.add(seq)}::bigint`;
  if (sign === keySign) return `(${column}, ${key}) ${sign}${last} (${place}, ${keyPlace})`;
  return `${column} ${sign}= ${place} AND (${column} ${sign} ${place} OR ${key} ${keySign}${last} ${keyPlace})`;
}

/** The rows of a list of very many jobs, where there is a quicker way to the first of them; else undefined. */
export async function narrowed(run: Run, reading: Reading): Promise<Row[] | undefined> {
  const { filter, way } = reading;
  const { by } = readingOrder(filter);
  const ask = async (how: How, columns = reading.columns) => {
    const statement = statementFor({ ...reading, columns }, how);
    return statement === undefined ? [] : await run(statement.text, statement.parameters);
  };
  const isByTag = way.tag !== undefined;
  // By their index: there is one on these alone.
  if (isByAge(filter) || by === "state") {
    if (isByTag || !asksForMore(filter)) return undefined;
  }
  if (!isByTag && (isByAge(filter) || by === "id")) {
    const end = isByAge(filter) ? await endOfKeys(run, filter) : await endOfIds(run, filter);
    if (end === undefined) return undefined;
    const rows = await ask({ end, isWhole: true });
    if (rows.length === filter.limit) return rows;
  }
  const walkedRows = isByTag ? undefined : await walked(run, filter, ask);
  if (walkedRows !== undefined) return walkedRows;
  const [{ first, last }] = await run("SELECT min(seq) AS first, max(seq) AS last FROM queuectl.jobs");
  if (first === null) return [];
  const keys = asArray(sampleOf(Number(first), Number(last)));
  const sample = await ask(
    { isUnordered: true, others: (key, parameters) => [`${key} = ANY(${parameters.add(keys)}::bigint[])`] },
    `${isByAge(filter) ? "seq" : sortColumn[by]} AS value, seq`,
  );
  const bound = sample.length < filter.limit ? undefined : sample.at(-1);
  // There are many of them: an index soon comes to enough.
  if (isByAge(filter) && bound !== undefined) return await ask({});
  // Several processes of the server read past all.
  await run("SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on");
  if (bound === undefined) return await ask({ isUnordered: true });
  const value = isText(by) ? text(bound, "value") : number(bound, "value");
  return await ask({ isUnordered: true, end: { value, seq: number(bound, "seq") } });
}

/** The rows, where they are soon found in the parts of their order; else undefined. */
async function walked(
  run: Run,
  filter: ListFilter,
  ask: (how: How) => Promise<Row[]>,
): Promise<Row[] | undefined> {
  const order = readingOrder(filter);
  const parts = partsOf(order, filter.after);
  if (parts === undefined) return undefined;
  const rows: Row[] = [];
  for (const part of parts) {
    const walk = await walkPart(run, part, order, filter.after);
    const others: How["others"] = (key, parameters) => [
      `${key} = ANY(${parameters.add(asArray(walk))}::bigint[])`,
      isInPart(sortColumn[order.by], part),
    ];
    rows.push(...await ask({ isUnordered: true, others }));
    if (rows.length >= filter.limit) return rows.slice(0, filter.limit);
    if (walk.length === mostWalked) return undefined;
  }
  return rows;
}

/** The first keys behind a place among which all that may be of a part are: of others too, where these have no index. */
async function walkPart(run: Run, part: Part, order: Order, after?: Position): Promise<number[]> {
  const walk = walkOf(order, part, after);
  const { by, descending, keysDescend } = walk.order;
  const column = sortColumn[by];
  const parameters = createParameters();
  const conditions = part.indexed === undefined ? ["true"] : [part.indexed, isInPart(column, part)];
  if (walk.after !== undefined) {
    conditions.push(comparison(walk.order, column, "seq", walk.after, parameters, false));
  }
  const rows = await run(
    `SELECT seq FROM queuectl.jobs WHERE ${conditions.join(" AND ")}
     ORDER BY ${column} ${descending ? "DESC" : "ASC"}, seq ${
      keysDescend ? "DESC" : "ASC"
    } LIMIT ${mostWalked}`,
    parameters.values,
  );
  return rows.map((row) => number(row, "seq"));
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
