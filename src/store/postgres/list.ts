/** Lists of jobs. */

import { jobColumns, jobFromRow, text } from "../rows.ts";
import { type ListedJob, type ListFilter, readingOrder, sortColumn } from "../selection.ts";
import type { Database, Statement } from "./database.ts";
import { choiceFor, createParameters } from "./selection.ts";
import { asArray } from "./storable.ts";
import { wayOf } from "./ways.ts";

const reading = { readOnly: true, pace: "slow" } as const;

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  const statement = await statementFor(database, filter, jobColumns);
  if (statement === undefined) return [];
  const [rows] = await database.batch([statement], reading);
  const jobs = rows.map(jobFromRow);
  return filter.sort === undefined ? jobs.reverse() : jobs;
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  const statement = await statementFor(database, filter, "seq");
  if (statement === undefined) return [];
  // As one value: a row for each would take ten times the memory.
  const [[row]] = await database.batch([{
    ...statement,
    text: `SELECT coalesce(string_agg(seq::text, ','), '') AS keys FROM (${statement.text}) AS listed`,
  }], reading);
  const list = JSON.parse(`[${text(row, "keys")}]`) as number[];
  return filter.sort === undefined ? list.reverse() : list;
}

async function statementFor(
  database: Database,
  filter: ListFilter,
  columns: string,
): Promise<Statement | undefined> {
  const parameters = createParameters();
  const way = await database.transaction((run) => wayOf(run, filter), reading);
  const { from, key, conditions } = choiceFor(database, filter, parameters, way);
  if (conditions.length === 0) return undefined;
  const { by, descending } = readingOrder(filter);
  const column = by === "created" ? key : sortColumn[by];
  const direction = descending ? "DESC" : "ASC";
  const order = by === "created" ? `${key} ${direction}` : `${column} ${direction}, ${key} ${direction}`;
  const others: string[] = [];
  if (filter.after !== undefined) {
    const { value, seq } = filter.after;
    const type = by === "state" || by === "id" ? `::text COLLATE "C"` : "::bigint";
    others.push(
      `(${column}, ${key}) ${descending ? "<" : ">"} (${parameters.add(value)}${type}, ${
        parameters.add(seq)
      }::bigint)`,
    );
  }
  if (filter.keys !== undefined) {
    others.push(`${key} = ANY(${parameters.add(asArray(filter.keys))}::bigint[])`);
  }
  const rest = others.map((condition) => ` AND ${condition}`).join("");
  const limit = filter.limit === Infinity ? "" : `LIMIT ${parameters.add(filter.limit)}::bigint`;
  const select = (condition: string) =>
    `SELECT ${columns} FROM ${from} WHERE (${condition})${rest} ORDER BY ${order} ${limit}`;
  // The index on the state gives the jobs of one state in their order, those of several it does not. A job may be of two
  // kinds.
  const text = conditions.length === 1
    ? select(conditions[0])
    : `SELECT ${columns} FROM (${
      conditions.map((condition) => `(${select(condition)})`).join(" UNION ")
    }) AS each ORDER BY ${order} ${limit}`;
  return { text, parameters: parameters.values };
}
