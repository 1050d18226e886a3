/** Lists in another order than that of the keys, for which there is no index but one on the ids. */

import { number, text } from "../rows.ts";
import {
  isCreatedUpTo,
  isInPart,
  leastBounded,
  type ListFilter,
  mostBounded,
  mostWalked,
  type Order,
  type Part,
  partsOf,
  type Position,
  reversed,
  sampleOf,
  type Sort,
  sortColumn,
} from "../selection.ts";
import type { Database } from "./database.ts";
import type { Choice } from "./selection.ts";

/**
 * By an expression, unless `isIndexed`: SQLite would rather look all jobs up in the order of their ids than sort those
 * that are needed.
 */
const columnOf = ({ by }: Sort, key: string, isIndexed = false): string =>
  by === "created" ? key : isIndexed ? sortColumn[by] : `+${sortColumn[by]}`;

/** Reads the first jobs of a choice in an order; `:limit` is how many. */
export function statementIn(
  order: Order,
  { from, key, sql }: Choice,
  columns: string,
  isIndexed = false,
): string {
  const way = order.descending ? "DESC" : "ASC";
  const column = columnOf(order, key, isIndexed);
  const last = `${key} ${order.keysDescend ? "DESC" : "ASC"}`;
  const terms = order.by === "created" ? last : `${column} ${way}, ${last}`;
  return `SELECT ${columns} FROM ${from} WHERE ${sql} ORDER BY ${terms} LIMIT :limit + 0`;
}

/**
 * Holds for what comes behind the place with the value `:NAME` and the key `:NAMESeq`. `areEqual` says that most have that
 * value.
 */
export function behind(
  order: Order,
  key: string,
  name: string,
  { isIndexed = false, areEqual = false } = {},
): string {
  const sign = order.descending ? "<" : ">";
  const keySign = order.keysDescend ? "<" : ">";
  const column = columnOf(order, key, isIndexed);
  // Quicker than a comparison of rows, with what holds for few before what holds for many.
  const parts = [
    `${column} ${sign}= :${name}`,
    `(${column} ${sign} :${name} OR ${key} ${keySign} :${name}Seq)`,
  ];
  return (areEqual ? parts.reverse() : parts).join(" AND ");
}

/** The first keys of a choice of many jobs, where there is a quicker way to them than to sort all; else undefined. */
export function narrowed(
  database: Database,
  choice: Choice,
  order: Order,
  { after, limit }: ListFilter,
  read: (statement: string, parameters: Choice["parameters"]) => number[],
): number[] | undefined {
  if (choice.size < leastBounded || limit > mostBounded) return undefined;
  const { sql, key, parameters } = choice;
  const opposite = reversed(order);
  // The other way round, what lies behind the place behind the last.
  const upTo = (value: string | number, seq: number, how: { isIndexed?: boolean; areEqual?: boolean }) => {
    const bounds = [behind(opposite, key, "end", how)];
    // What was changed last before that was there before that.
    if (order.by === "updated" && !order.descending) bounds.unshift(isCreatedUpTo(key, "jobs", ":end"));
    if (how.isIndexed && after !== undefined) bounds.push(behind(order, key, "after", how));
    return read(
      statementIn(order, { ...choice, sql: [...bounds, sql].join(" AND ") }, "seq", how.isIndexed),
      { ...parameters, end: value, endSeq: order.keysDescend ? seq - 1 : seq + 1 },
    );
  };
  if (order.by === "id" && choice.size === Infinity) {
    const end = endOfWalk(database, order, after?.value);
    const keys = end === undefined ? [] : upTo(end, 0, { isIndexed: true });
    if (keys.length === limit) return keys;
  }
  const sample = database.prepare(
    statementIn(
      order,
      { ...choice, sql: `${key} IN (SELECT value FROM json_each(:sample)) AND ${sql}` },
      `${columnOf(order, key)} AS value, seq`,
    ),
  ).all({ ...parameters, sample: JSON.stringify(sampleKeys(database)) });
  const last = sample.at(-1);
  if (last === undefined || sample.length < limit) return undefined;
  const areEqual = sample[0].value === last.value;
  return upTo(last.value as string | number, number(last, "seq"), { areEqual });
}

/** The first keys of a choice of many jobs, where they are soon found in the parts of the order; else undefined. */
export function walked(
  database: Database,
  choice: Choice,
  order: Order,
  { after, limit }: ListFilter,
  read: (statement: string, parameters: Choice["parameters"]) => number[],
): number[] | undefined {
  const parts = partsOf(order, after);
  if (parts === undefined || choice.size < Infinity || limit > mostBounded) return undefined;
  const keys: number[] = [];
  for (const part of parts) {
    const walk = walkOf(database, order, part, after);
    const isWalked = `${choice.key} IN (SELECT value FROM json_each(:walk))`;
    const sql = [isWalked, isInPart(columnOf(order, choice.key), part), choice.sql].join(" AND ");
    keys.push(...read(statementIn(order, { ...choice, sql }, "seq"), {
      ...choice.parameters,
      walk: JSON.stringify(walk),
      limit: limit - keys.length,
    }));
    if (keys.length === limit) return keys;
    if (walk.length === mostWalked) return undefined;
  }
  return keys;
}

/** The first keys behind a place among which all that may be of a part are: of others too, where these have no index. */
function walkOf(database: Database, order: Order, part: Part, after?: Position): number[] {
  const { indexed, least, most } = part;
  const column = sortColumn[order.by];
  const conditions = indexed === undefined ? [] : [indexed, isInPart(column, part)];
  const parameters: Record<string, string | number> = {};
  if (after !== undefined && least <= Number(after.value) && Number(after.value) <= most) {
    const { value, seq } = after;
    const isBehind = behind(order, "seq", "after", { isIndexed: true });
    conditions.push(indexed === undefined ? `seq ${order.keysDescend ? "<" : ">"} :afterSeq` : isBehind);
    Object.assign(parameters, indexed === undefined ? { afterSeq: seq } : { after: value, afterSeq: seq });
  }
  const values = indexed === undefined ? "" : `${column} ${order.descending ? "DESC" : "ASC"}, `;
  return database.prepare(`
    SELECT seq FROM jobs WHERE ${conditions.join(" AND ") || "true"}
    ORDER BY ${values}seq ${order.keysDescend ? "DESC" : "ASC"} LIMIT ${mostWalked}`)
    .all(parameters).map((row) => number(row, "seq"));
}

/** The id of the last job that is read in the order of the ids before all are sorted; undefined where fewer are left. */
function endOfWalk(database: Database, { descending }: Sort, after?: string | number): string | undefined {
  const [way, sign] = descending ? ["DESC", "<"] : ["ASC", ">"];
  const row = database.prepare(`
    SELECT id FROM jobs ${after === undefined ? "" : `WHERE id ${sign}= ?`}
    ORDER BY id ${way} LIMIT 1 OFFSET ${mostWalked}`).get(...after === undefined ? [] : [after]);
  return row === undefined ? undefined : text(row, "id");
}

function sampleKeys(database: Database): number[] {
  const { first, last } = database.prepare(`
    SELECT (SELECT min(seq) FROM jobs) AS first, (SELECT max(seq) FROM jobs) AS last`).get()!;
  return sampleOf(first as number, last as number);
}
