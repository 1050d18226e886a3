/** Lists of jobs. */

import { type JobState, jobStates } from "../../job/job.ts";
import { jobColumns, jobFromRow } from "../rows.ts";
import {
  asksForMore,
  isByAge,
  isView,
  type ListedJob,
  type ListFilter,
  mostBounded,
  type Order,
  type PageOfKeys,
  type Position,
  positionOf,
  readingOrder,
} from "../selection.ts";
import { type Span, spansInTurn, within } from "../key_parts.ts";
import { readCounters } from "./counters.ts";
import type { Database } from "./database.ts";
import { endsOf } from "./ends.ts";
import { type Choice, conditionFor } from "./selection.ts";
import { behind, narrowed, statementIn } from "./sorting.ts";
import { spanList } from "./ways.ts";

/** The jobs of a filter, in its order. */
export async function list(database: Database, filter: ListFilter): Promise<ListedJob[]> {
  return await database.read(() => {
    const { sort, limit } = filter;
    // In another order their keys are sorted, which is less to carry about; the jobs are then read by those.
    const isOrdered = isByAge(filter) && filter.search === undefined;
    const wanted = isOrdered || filter.keys !== undefined
      ? filter
      : { keys: readKeys(database, filter), sort, limit };
    const choice = choiceFor(database, wanted);
    if (choice === undefined) return [];
    const statement = statementIn(readingOrder(filter), choice, jobColumns);
    const jobs = database.prepare(statement).all(choice.parameters).map(jobFromRow);
    return sort === undefined ? jobs.reverse() : jobs;
  });
}

/** The keys of those jobs. */
export async function keys(database: Database, filter: ListFilter): Promise<number[]> {
  return await database.read(() => {
    const keys = readKeys(database, filter);
    return filter.sort === undefined ? keys.reverse() : keys;
  });
}

/** The keys of a page of those jobs. */
export async function pageOfKeys(database: Database, filter: ListFilter): Promise<PageOfKeys> {
  return await database.read(() => {
    const { sort, limit } = filter;
    const keys = readKeys(database, { ...filter, limit: limit + 1 });
    let end: Position | null = null;
    if (keys.length > limit) {
      keys.pop();
      const row = database.prepare(`SELECT ${jobColumns} FROM jobs WHERE seq = ?`).get(keys.at(-1)!)!;
      end = positionOf(jobFromRow(row), sort?.by ?? "created");
    }
    return { keys: sort === undefined ? keys.reverse() : keys, end };
  });
}

/** In the order in which they are read. */
function readKeys(database: Database, filter: ListFilter): number[] {
  const choice = choiceFor(database, filter);
  if (choice === undefined) return [];
  const order = readingOrder(filter);
  const read = (statement: string, parameters: Choice["parameters"]): number[] => {
    // As one value: a row for each would take ten times the memory.
    const { keys } = database.prepare(`SELECT json_group_array(seq) AS keys FROM (${statement})`).get(
      parameters,
    )!;
    return JSON.parse(keys as string);
  };
  const all = () => read(statementIn(order, choice, "seq"), choice.parameters);
  const inTurn = (spans: readonly Span[]) => {
    let keys: number[] = [];
    for (const turn of spansInTurn(spans, order.descending, filter.after?.seq)) {
      const limit = filter.limit === Infinity ? -1 : filter.limit - keys.length;
      const parameters = { ...choice.parameters, spans: spanList(turn), limit };
      keys = keys.concat(read(statementIn(order, choice, "seq"), parameters));
      if (keys.length === filter.limit) break;
    }
    return keys;
  };
  if (isByAge(filter)) return choice.spans === undefined ? all() : inTurn(choice.spans);
  return keysByState(database, filter, order) ?? narrowed({ database, choice, order, filter, read }) ?? all();
}

/**
 * In the order of the states, of one state after the other, by age; undefined where it is another order, or where jobs of a
 * state are few that have to be looked for among all.
 */
function keysByState(database: Database, filter: ListFilter, order: Order): number[] | undefined {
  const { kinds = jobStates, after, limit } = filter;
  if (order.by !== "state" || limit > mostBounded || kinds.some(isView) || asksForMore(filter)) {
    return undefined;
  }
  const counts = readCounters(database);
  const states = jobStates.filter((state) => kinds.includes(state) && counts[state] > 0).sort();
  if (order.descending) states.reverse();
  const keys: number[] = [];
  for (const state of after === undefined ? states : states.slice(placeAmong(states, after, order))) {
    const part: ListFilter = {
      ...filter,
      kinds: [state],
      sort: { by: "created", descending: order.keysDescend },
      after: after?.value === state ? { value: after.seq, seq: after.seq } : undefined,
      limit: limit - keys.length,
    };
    if (part.limit === 0) break;
    if (counts[state] < part.limit && choiceFor(database, part)?.size === Infinity) return undefined;
    keys.push(...readKeys(database, part));
  }
  return keys;
}

/** The first of the sorted states that can have jobs behind a place. */
function placeAmong(states: readonly JobState[], after: Position, { descending }: Order): number {
  const place = states.findIndex((state) => descending ? state <= after.value : state >= after.value);
  return place === -1 ? states.length : place;
}

/** The jobs of a filter, without its order. */
function choiceFor(database: Database, filter: ListFilter): Choice | undefined {
  const choice = conditionFor(database, filter, jobStates, {
    isByAge: isByAge(filter) && filter.limit < Infinity,
    isByKeys: filter.keys !== undefined,
  });
  if (choice === undefined) return undefined;
  const { key, parameters } = choice;
  let { spans } = choice;
  const conditions = [choice.sql];
  const { by, descending } = readingOrder(filter);
  // The newest are seldom others than those that may be claimed.
  const isAtEnd = descending && filter.kinds?.some((kind) => kind !== "scheduled");
  const isByAll = choice.size === Infinity || spans !== undefined;
  if (by === "created" && filter.kinds !== undefined && isByAll && !isAtEnd) {
    const { first, last } = endsOf(database, { kinds: filter.kinds });
    spans &&= within(spans, { from: first, to: last });
    conditions.unshift(descending ? `${key} <= :last` : `${key} >= :first`);
    Object.assign(parameters, descending ? { last } : { first });
  }
  if (filter.after !== undefined) {
    conditions.unshift(behind(readingOrder(filter), key, "after"));
    Object.assign(parameters, { after: filter.after.value, afterSeq: filter.after.seq });
  }
  if (filter.keys !== undefined) {
    conditions.push(`${key} IN (SELECT value FROM json_each(:keys))`);
    parameters.keys = JSON.stringify(filter.keys);
  }
  // What is infinite to us is negative to SQLite.
  parameters.limit = filter.limit === Infinity ? -1 : filter.limit;
  return { ...choice, spans, sql: conditions.join(" AND ") };
}
