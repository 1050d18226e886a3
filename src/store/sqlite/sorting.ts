/** Lists in another order than that of the keys, for which there is no index but one on the ids. */

import { number, text } from "../rows.ts";
import {
  asksForMore,
  isCreatedUpTo,
  isInPart,
  leastBounded,
  type ListFilter,
  mostBounded,
  mostWalked,
  type Order,
  type Part,
  partsOf,
  reversed,
  sampleOf,
  type Sort,
  sortColumn,
  stateList,
  statesOf,
  walkOf,
} from "../selection.ts";
import type { Database } from "./database.ts";
import { changedParts, isPartOf } from "./recency.ts";
import { endsOf } from "./ends.ts";
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
  { from, key, sql }: Pick<Choice, "from" | "key" | "sql">,
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

/** A list whose keys are to be read. */
export interface Reading {
  database: Database;
  choice: Choice;
  order: Order;
  filter: ListFilter;
  read(statement: string, parameters: Choice["parameters"]): number[];
}

/** The first keys of a choice of many jobs, where there is a quicker way to them than to sort all; else undefined. */
export function narrowed(reading: Reading): number[] | undefined {
  const { database, choice, order, filter: { after, limit }, read } = reading;
  // Where a text can be it is in few jobs, most probably.
  if (choice.size < leastBounded || limit > mostBounded || choice.spans !== undefined) return undefined;
  const isByRecency = choice.size === Infinity || choice.keysSql !== undefined;
  if (order.by === "updated" && order.descending && isByRecency) return latest(reading);
  const walk = walked(reading);
  if (walk !== undefined) return walk;
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
  const { first, last: newest } = endsOf(database);
  const sample = database.prepare(
    statementIn(
      order,
      { ...choice, sql: `${key} IN (SELECT value FROM json_each(:sample)) AND ${sql}` },
      `${columnOf(order, key)} AS value, seq`,
    ),
  ).all({ ...parameters, sample: JSON.stringify(sampleOf(first, newest)) });
  const last = sample.at(-1);
  if (last === undefined || sample.length < limit) return undefined;
  const areEqual = sample[0].value === last.value;
  const keys = upTo(last.value as string | number, number(last, "seq"), { areEqual });
  // Fewer than those of the sample: a clock was set back so far that no key is a bound for times.
  return keys.length === limit ? keys : undefined;
}

/** Up to how many parts of the keys are read at once, and at first. */
const [mostParts, firstParts] = [64, 8];

/** The keys of those that changed last: those parts first in which one changed last, until no other can have a later one. */
function latest({ database, choice, order, filter: { limit } }: Reading): number[] {
  const { key, sql, parameters } = choice;
  const areMeant = choice.keysSql === undefined ? "true" : isPartOf(choice.keysSql);
  const parts = database.prepare(`SELECT part, at FROM recency WHERE ${areMeant} ORDER BY at DESC`).all();
  const statement = database.prepare(statementIn(
    order,
    { from: changedParts.from, key, sql: `${changedParts.condition} AND ${sql}` },
    "seq, updated_at AS value",
  ));
  let found: Array<{ seq: number; value: number }> = [];
  for (let done = 0; done < parts.length; done += done === 0 ? firstParts : mostParts) {
    const last = found.at(limit - 1);
    if (found.length === limit && last !== undefined && last.value > number(parts[done], "at")) break;
    const next = parts.slice(done, done === 0 ? firstParts : done + mostParts);
    const rows = statement.all({ ...parameters, parts: JSON.stringify(next.map(({ part }) => part)) });
    found = [...found, ...rows as unknown as typeof found]
      .sort((a, b) => b.value - a.value || b.seq - a.seq).slice(0, limit);
  }
  return found.map(({ seq }) => seq);
}

/** Those keys, where they are soon found in the parts of the order; else undefined. */
function walked(reading: Reading): number[] | undefined {
  const { choice, order, filter: { after, limit } } = reading;
  const parts = partsOf(order, after);
  if (parts === undefined || choice.size < Infinity) return undefined;
  const keys: number[] = [];
  for (const part of parts) {
    const walk = part.indexed === undefined ? walkKeys : walkIndex;
    const found = walk(reading, part, limit - keys.length);
    keys.push(...found.keys);
    if (keys.length === limit) return keys;
    if (!found.isWhole) return undefined;
  }
  return keys;
}

/** Keys of a part that were soon found, and whether these are all there are. */
interface Found {
  keys: number[];
  isWhole: boolean;
}

/** Those of a part that has an index: among the first that it gives. */
function walkIndex(
  { choice, order, filter: { kinds, after }, read }: Reading,
  part: Part,
  limit: number,
): Found {
  const walk = walkOf(order, part, after);
  const conditions = [part.indexed!, isInPart(sortColumn[order.by], part)];
  if (part.hasState && kinds !== undefined) conditions.push(`state IN (${stateList(statesOf(kinds))})`);
  if (walk.after !== undefined) conditions.push(behind(walk.order, "seq", "after", { isIndexed: true }));
  const indexed = { from: "jobs", key: "seq", sql: conditions.join(" AND ") };
  const keys = read(statementIn(walk.order, indexed, "seq", true), {
    ...walk.after && { after: walk.after.value, afterSeq: walk.after.seq },
    limit: mostWalked,
  });
  const sql = `${choice.key} IN (SELECT value FROM json_each(:walk)) AND ${choice.sql}`;
  const found = read(statementIn(order, { ...choice, sql }, "seq"), {
    ...choice.parameters,
    walk: JSON.stringify(keys),
    limit,
  });
  return { keys: found, isWhole: keys.length < mostWalked };
}

/** Those of a part that most jobs are of: by their keys, from the first one that can be of the kinds. */
function walkKeys({ database, choice, order, filter, read }: Reading, part: Part, limit: number): Found {
  const walk = walkOf(order, part, filter.after);
  // Few may be of the filter: then all are sorted at once.
  const most = asksForMore(filter) ? mostWalked : Infinity;
  const { first, last } = endsOf(database, filter);
  const behind = walk.after?.seq;
  const [from, to] = walk.order.descending
    ? [Math.max(first, Math.min(last, behind ?? last) - most), Math.min(last, behind ?? last)]
    : [Math.max(first, behind ?? first), Math.min(last, Math.max(first, behind ?? first) + most)];
  const { key } = choice;
  // Most of those that there are are of the part: that is looked at last.
  const sql = `${key} BETWEEN :from AND :to AND ${choice.sql} AND ${isInPart(columnOf(order, key), part)}`;
  const keys = read(statementIn(walk.order, { ...choice, sql }, "seq"), {
    ...choice.parameters,
    from,
    to,
    limit,
  });
  return { keys, isWhole: walk.order.descending ? from === first : to === last };
}

/** The id of the last job that is read in the order of the ids before all are sorted; undefined where fewer are left. */
function endOfWalk(database: Database, { descending }: Sort, after?: string | number): string | undefined {
  const [way, sign] = descending ? ["DESC", "<"] : ["ASC", ">"];
  const row = database.prepare(`
    SELECT id FROM jobs ${after === undefined ? "" : `WHERE id ${sign}= ?`}
    ORDER BY id ${way} LIMIT 1 OFFSET ${mostWalked}`).get(...after === undefined ? [] : [after]);
  return row === undefined ? undefined : text(row, "id");
}
