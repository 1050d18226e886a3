/** Between which keys the jobs of a filter are: so that those are not read that are older, or younger. */

import type { JobFilter, JobKind } from "../selection.ts";
import { numberOrNull } from "../rows.ts";
import { keysOfAges } from "./ages.ts";
import type { Database } from "./database.ts";
import { blocked, claimable } from "./schema.ts";
import { indexesOf, running } from "./selection.ts";

/** The first and the last key; the first is the higher one where there are no such jobs. */
export interface Ends {
  first: number;
  last: number;
}

/** The ends of the kinds and the ages that a filter asks for; without a filter of all jobs. */
export function endsOf(database: Database, filter: JobFilter = {}): Ends {
  const [ofKinds, ofAges] = [endsOfKinds(database, filter.kinds), keysOfAges(database, filter)];
  return { first: Math.max(ofKinds.first, ofAges.first), last: Math.min(ofKinds.last, ofAges.last) };
}

/** Of those that wait and are not put off by an index on them, which is read to its end. */
function endsOfKinds(database: Database, kinds?: readonly JobKind[]): Ends {
  const conditions = kinds?.flatMap(conditionsOf);
  if (conditions === undefined || conditions.includes(undefined)) {
    const { first, last } = database.prepare(`
      SELECT (SELECT min(seq) FROM jobs) AS first, (SELECT max(seq) FROM jobs) AS last`).get()!;
    return { first: Number(first ?? 1), last: Number(last ?? 0) };
  }
  let [first, last] = [Infinity, 0];
  for (const condition of new Set(conditions)) {
    // Other indexes have the keys in their order, and give both ends at once.
    const sql = unordered.includes(condition!)
      ? `SELECT min(+seq) AS first, max(+seq) AS last FROM jobs WHERE ${condition}`
      : `SELECT (SELECT min(seq) FROM jobs WHERE ${condition}) AS first,
          (SELECT max(seq) FROM jobs WHERE ${condition}) AS last`;
    const row = database.prepare(sql).get({ ...condition!.includes(":now") && { now: database.now() } })!;
    first = Math.min(first, numberOrNull(row, "first") ?? Infinity);
    last = Math.max(last, numberOrNull(row, "last") ?? 0);
  }
  return { first, last };
}

const due = "next_attempt_at <= :now";

/** Conditions whose indexes have the keys in no order. */
const unordered = [claimable, due, running];

/** As {@link indexesOf}, but of what waits by conditions whose ends are soon found, and which may hold for others too. */
function conditionsOf(kind: JobKind): Array<string | undefined> {
  switch (kind) {
    case "pending":
    case "failed":
      return [claimable, `state = '${kind}' AND next_attempt_at IS NOT NULL`, "held = 1", blocked];
    case "waiting":
      return [claimable, due];
    case "scheduled":
      return ["pending", "failed"].map((state) => `state = '${state}' AND next_attempt_at IS NOT NULL`);
    default:
      return indexesOf(kind, true);
  }
}
