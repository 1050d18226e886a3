/** Jobs that are chosen: by a filter, as SQL, or by their ids. */

import { type JobState, jobStates } from "../../job/job.ts";
import type { FoundJob, Scope } from "../refusals.ts";
import { number } from "../rows.ts";
import {
  asksForMore,
  isNamed,
  isView,
  type JobFilter,
  type JobKind,
  kindsAmong,
  likePattern,
  mostCounted,
  type Selection,
  stateList,
  viewStates,
} from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./database.ts";
import { requireJob } from "./queries.ts";
import { asArray } from "./storable.ts";
import { isLookedUp, momentSql, sourceOf, type Way, wayOf, wayOfText } from "./ways.ts";

/** Parameters of a statement that is being put together: takes one, and gives its place in the text. */
export interface Parameters {
  values: unknown[];
  add(value: unknown): `$${number}`;
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}

/** From here on several processes of the server may read past all jobs, and from here on none again. */
export const pastAll = "SET LOCAL enable_seqscan = on; SET LOCAL max_parallel_workers_per_gather TO DEFAULT";
const byIndex = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0";

/** Jobs that are chosen: what is read for them, the column of it that has their keys, and the conditions for each kind. */
export interface Choice {
  from: string;
  key: string;
  /** Empty where there can be none. */
  conditions: string[];
}

/** The jobs of a filter; `way` says how they are found. `isOne`: with one condition for all kinds. */
export function choiceFor(
  database: Database,
  filter: JobFilter,
  parameters: Parameters,
  way: Way,
  among: readonly JobState[] = jobStates,
  isOne = isLookedUp(way),
): Choice {
  // Asked for once: a time that may be another for each row would use no index.
  let time: string | undefined;
  const now = () => time ??= `(SELECT ${timeSql(parameters.add(database.now()))})`;
  const { from, key, ofQueues, ofTags } = sourceOf(filter, way, parameters);
  const { least, most } = way.keys ?? {};
  const others: string[] = [];
  if (least !== undefined) others.push(`${key} >= ${parameters.add(least)}::bigint`);
  if (most !== undefined) others.push(`${key} <= ${parameters.add(most)}::bigint`);
  const { createdSince, unchangedSince } = filter;
  if (createdSince !== undefined) {
    others.push(`created_at >= ${momentSql(database, createdSince, parameters)}`);
  }
  if (unchangedSince !== undefined) {
    others.push(`updated_at <= ${momentSql(database, unchangedSince, parameters)}`);
  }
  // What takes longer comes last.
  others.push(...ofQueues);
  if (filter.search !== undefined) {
    const pattern = `lower(${parameters.add(likePattern(filter.search))}::text COLLATE "C")`;
    const like = (column: string) => `lower(${column} COLLATE "C") LIKE ${pattern} ESCAPE '\\'`;
    others.push(`(${like("command")} OR ${like("id")})`);
  }
  others.push(...ofTags);
  const rest = others.map((condition) => ` AND ${condition}`).join("");
  const isAny = filter.kinds === undefined && among.length === jobStates.length;
  const kinds = isAny
    ? ["true"]
    : kindsAmong(filter.kinds ?? among, among).flatMap((kind) => waysOfKind(kind, among, now)).map((way) =>
      way()
    );
  // The index on the state gives one after the other; where it is not read, all of them are looked for at once.
  const together = !isOne || kinds.length < 2 ? kinds : [`(${kinds.join(" OR ")})`];
  return { from, key, conditions: together.map((kind) => kind + rest) };
}

/** A condition of one state, the index of which has the keys of that state in their order: it has to lead the order. */
export const isOfState = (condition: string): boolean => condition.startsWith("state BETWEEN");

/** Conditions which together hold for the jobs of a kind, each with an index of keys; `now` gives the time. */
export function waysOfKind(
  kind: JobKind,
  among: readonly JobState[],
  now: () => string,
): Array<() => string> {
  // As a range: otherwise the server leaves the state out of an order that begins with it, and takes another index.
  if (!isView(kind)) return [() => `state BETWEEN '${kind}' AND '${kind}'`];
  const states = `state IN (${stateList(viewStates(among))})`;
  switch (kind) {
    case "held":
      return [() => `${states} AND held`];
    case "scheduled":
      // With the condition of the index.
      return [() => `next_attempt_at IS NOT NULL AND ${states} AND next_attempt_at > ${now()} AND NOT held`];
    case "waiting":
      // The few that are due and have not been made available are found by another index, before.
      return [
        () => `${states} AND available`,
        () =>
          `${states} AND seq = ANY(ARRAY(
             SELECT seq FROM queuectl.jobs WHERE next_attempt_at <= ${now()} AND NOT held AND blocked = 0))`,
      ];
    case "blocked":
      return [() => `${states} AND blocked > 0 AND NOT held`];
  }
}

/** The jobs of a selection that an operation is about, locked. Throws `not_found`, `conflict`, or `usage` for several. */
export async function choose(
  database: Database,
  run: Run,
  jobs: Selection,
  scope: Scope,
): Promise<FoundJob[]> {
  if (isNamed(jobs)) return await named(run, jobs, scope);
  const filter = jobs === "all" ? {} : jobs;
  const way = await wayOfText(run, filter, await wayOf(database, run, filter, scope.states));
  const isPicky = way.spans !== undefined || way.size > mostCounted && asksForMore(filter);
  const select = async (keys?: readonly number[]) => {
    const parameters = createParameters();
    const chosen = keys === undefined ? way : { ...way, spans: undefined };
    const { from, conditions } = choiceFor(database, filter, parameters, chosen, scope.states, isPicky);
    if (conditions.length === 0) return [];
    const holds = conditions.map((each) => `(${each})`).join(" OR ");
    if (isPicky && keys === undefined) {
      return await run(`SELECT seq FROM ${from} WHERE ${holds}`, parameters.values);
    }
    const rows = keys === undefined ? "" : `seq = ANY(${parameters.add(asArray(keys))}::bigint[]) AND `;
    return await run(
      `SELECT seq, id, state, queue FROM ${from} WHERE ${rows}(${holds}) FOR UPDATE OF jobs`,
      parameters.values,
    );
  };
  let keys: number[] | undefined;
  if (isPicky) {
    // Few of very many, perhaps: they are looked for without locks, which several processes of the server can do.
    if (way.spans === undefined) await run(pastAll);
    keys = (await select()).map((row) => number(row, "seq"));
    await run(byIndex);
  }
  const rows = await select(keys);
  return (rows as unknown as FoundJob[]).sort((a, b) => a.seq - b.seq);
}

// All are found before the first is changed, or a prefix could become unique by what was removed before it.
async function named(run: Run, ids: readonly string[], scope: Scope): Promise<FoundJob[]> {
  const found = new Map<number, FoundJob>();
  for (const id of ids) {
    const job = await requireJob(run, id, scope.missing, "FOR UPDATE");
    found.set(job.seq, job);
  }
  const jobs = [...found.values()];
  const others = jobs.filter(({ state }) => !scope.states.includes(state));
  if (others.length > 0) throw scope.refused(others);
  return jobs;
}
