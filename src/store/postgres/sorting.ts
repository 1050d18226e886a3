/** A list as one statement, in its order. */

import { jobStates } from "../../job/job.ts";
import {
  asksForMore,
  type ListFilter,
  type Order,
  type Position,
  readingOrder,
  type Sort,
  sortColumn,
} from "../selection.ts";
import type { Database, Statement } from "./database.ts";
import { type Choice, choiceFor, createParameters, isOfState, type Parameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { isLookedUp, type Way } from "./ways.ts";

/** A list that is to be read. */
export interface Reading {
  database: Database;
  filter: ListFilter;
  columns: string;
  way: Way;
}

export interface How {
  /** Only up to this place, which is among them. */
  end?: Position;
  /** By an expression: the server would rather look jobs up in their order than read all there are. */
  isUnordered?: boolean;
  /** In the order of the ids without a look at what else is asked for. */
  isWhole?: boolean;
  /** Of as many out of a hundred pages of the table, which the server chooses. */
  percent?: number;
  /** Further conditions. */
  others?: (key: string, parameters: Parameters) => string[];
}

/** Reads a list; undefined where there can be nothing. */
export function statementFor(reading: Reading, how: How = {}): Statement | undefined {
  const { filter, columns, way } = reading;
  const { end, isUnordered = false, isWhole = false, percent, others: further } = how;
  const parameters = createParameters();
  const order = readingOrder(filter);
  const { by, descending } = order;
  const { from, key, conditions, leading } = choiceOf(reading, parameters, isUnordered);
  const isLed = by === "created" && !isUnordered && !isLookedUp(way);
  if (conditions.length === 0) return undefined;
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
  if (end !== undefined) others.push(comparison(order, column, key, end, parameters, true));
  if (filter.after !== undefined) {
    others.push(comparison(order, column, key, filter.after, parameters, false));
  }
  if (filter.keys !== undefined) {
    others.push(`${key} = ANY(${parameters.add(asArray(filter.keys))}::bigint[])`);
  }
  // Before what takes longer.
  const rest = others.map((condition) => `${condition} AND `).join("");
  const limit = filter.limit === Infinity ? "" : `LIMIT ${parameters.add(filter.limit)}::bigint`;
  const sample = percent === undefined ? "" : `TABLESAMPLE SYSTEM (${percent})`;
  const select = (condition: string, what = columns) => {
    const leader = leading ?? (isOfState(condition) ? "state" : undefined);
    const first = isLed && leader !== undefined ? `${leader} ${direction}, ` : "";
    return `SELECT ${what} FROM ${from} ${sample} WHERE ${rest}(${condition})
     ORDER BY ${first}${value} ${direction}, ${key} ${keyDirection} ${limit}`;
  };
  // The index on the state gives the jobs of one state in their order, those of several it does not; nor does that on the
  // queue. A job may be of two kinds.
  const statement = conditions.length === 1
    ? select(conditions[0])
    : `SELECT ${columns} FROM (${
      conditions.map((condition) => `(${select(condition, `${columns}, ${column} AS place`)})`).join(
        " UNION ",
      )
    }) AS each ORDER BY place ${direction}, seq ${keyDirection} ${limit}`;
  return { text: statement, parameters: parameters.values };
}

/** The jobs of a list; `leading` is a column of which each condition asks for one value, with an index of their keys. */
function choiceOf(
  { database, filter, way }: Reading,
  parameters: Parameters,
  isUnordered: boolean,
): Choice & { leading?: "queue" } {
  const isByAge = readingOrder(filter).by === "created";
  const choose = (filter: ListFilter, isOne: boolean) =>
    choiceFor(database, filter, parameters, way, jobStates, isOne);
  if (way.isByQueue && isByAge && !isUnordered) {
    const choices = [...new Set(filter.queues)].map((queue) => choose({ ...filter, queues: [queue] }, true));
    return { ...choices[0], conditions: choices.flatMap(({ conditions }) => conditions), leading: "queue" };
  }
  return choose(filter, isLookedUp(way) || isUnordered);
}

/** Makes of a column a value that no index has. */
const nothing = (by: Sort["by"]) => isText(by) ? " || ''" : " + 0";

export const isText = (by: Sort["by"]): boolean => by === "state" || by === "id";

/** Holds behind a place in an order; `isUpTo`: for that place, and before it. */
export function comparison(
  { by, descending, keysDescend }: Order,
  column: string,
  key: string,
  { value, seq }: Position,
  parameters: Parameters,
  isUpTo: boolean,
): string {
  const [sign, keySign] = [descending, keysDescend].map((each) => each !== isUpTo ? "<" : ">");
  const last = isUpTo ? "=" : "";
  const keyPlace = `${parameters.add(seq)}::bigint`;
  if (by === "created") return `${key} ${keySign}${last} ${keyPlace}`;
  const place = `${parameters.add(value)}${isText(by) ? `::text COLLATE "C"` : "::bigint"}`;
  // Said by itself too: not every index knows of rows.
  if (sign === keySign) {
    return `${column} ${sign}= ${place} AND (${column}, ${key}) ${sign}${last} (${place}, ${keyPlace})`;
  }
  return `${column} ${sign}= ${place} AND (${column} ${sign} ${place} OR ${key} ${keySign}${last} ${keyPlace})`;
}
