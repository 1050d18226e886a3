/** Which jobs are read to find those of a filter: by a tag or a queue where those are fewer, and between which keys. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { areFew, isWorthALook, sizeOf, type Span } from "../key_parts.ts";
import { number } from "../rows.ts";
import {
  clockTolerance,
  firstKeySince,
  type JobFilter,
  type Moment,
  mostCounted,
  statesOf,
} from "../selection.ts";
import { timeSql } from "./clock.ts";
import type { Database, Run } from "./database.ts";
import { createParameters, type Parameters } from "./selection.ts";
import { firstKeyOfAge, spansWith } from "./search_index.ts";
import { asArray, asJson } from "./storable.ts";

/** By this tag, or those keys; without either by whatever index the server finds. */
export interface Way {
  tag?: string;
  /** The jobs in which a text can be. */
  spans?: readonly Span[];
  /** Whether fewer jobs are in the queues than of the states. */
  isByQueue?: boolean;
  /** Jobs with other keys are too old, or too young. */
  keys?: Keys;
  /** How many jobs are read at most; Infinity for all there are. */
  size: number;
}

/** From which key on, and up to which. */
export interface Keys {
  least?: number;
  most?: number;
}

/**
 * Finds out how the jobs of a filter are found. By a tag of very many only where nothing else is asked for, and jobs are
 * wanted as they come (`isByAge`): looking each of them up takes longer than reading past the others. Those of a tag are
 * counted up to `mostTagged`.
 */
export async function wayOf(
  database: Database,
  run: Run,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
  { isByAge = false, mostTagged = mostCounted }: { isByAge?: boolean; mostTagged?: number } = {},
): Promise<Way> {
  const tags = [...new Set(filter.tags)];
  const { kinds, queues, search, unchangedSince } = filter;
  const isAny = kinds === undefined && among.length === jobStates.length;
  let size = Infinity;
  if (!isAny) {
    size = await countOf(run, statesOf(kinds ?? among, among));
  }
  let isByQueue = false;
  if (queues !== undefined && !queues.includes(defaultQueueName)) {
    const inQueues = await countIn(run, queues);
    isByQueue = inQueues < size;
    size = Math.min(size, inQueues);
  }
  const bounds = await keysOfAges(database, run, filter);
  size = Math.min(size, bounds?.size ?? Infinity);
  const isAlone = isByAge && isAny && tags.length === 1 && queues === undefined && search === undefined &&
    unchangedSince === undefined;
  const most = Math.min(size, mostTagged);
  const { keys } = bounds ?? {};
  let best: Way = { isByQueue, keys, size };
  for (const tag of tags) {
    const [row] = await run(
      `SELECT count(*) AS jobs FROM (
         SELECT 1 FROM queuectl.tags WHERE tag = $1 ORDER BY job LIMIT $2::bigint
       ) AS counted`,
      [tag, most + 1],
    );
    const jobs = number(row, "jobs");
    if (isAlone || jobs <= most && jobs < best.size) best = { tag, keys, size: jobs };
  }
  return best;
}

/** By the jobs that can have the text of a filter, where those are few; else the way that there is. */
export async function wayOfText(run: Run, { search }: JobFilter, way: Way): Promise<Way> {
  if (search === undefined) return way;
  const { keys } = way;
  const [{ first, last }] = await run("SELECT min(seq) AS first, max(seq) AS last FROM queuectl.jobs");
  const all = {
    from: Math.max(Number(first ?? 1), keys?.least ?? 0),
    to: Math.min(Number(last ?? 0), keys?.most ?? Infinity),
  };
  if (!isWorthALook(way.size, all)) return way;
  const spans = await spansWith(run, search, all);
  const size = sizeOf(spans);
  return size < way.size && areFew(spans, all) ? { spans, keys, size } : way;
}

/**
 * The keys of jobs of the ages that a filter asks for, and how many they are at most; undefined where it asks for none. Found
 * before, so that the server knows how few they are.
 */
async function keysOfAges(
  database: Database,
  run: Run,
  { createdSince, unchangedSince }: JobFilter,
): Promise<{ keys: Keys; size: number } | undefined> {
  if (createdSince === undefined && unchangedSince === undefined) return undefined;
  const [{ first, last }] = await run("SELECT min(seq) AS first, max(seq) AS last FROM queuectl.jobs");
  if (first === null) return { keys: {}, size: 0 };
  const keys: Keys = {};
  if (createdSince !== undefined) {
    const parameters = createParameters();
    const least = await keySince(database, run, createdSince, -clockTolerance);
    const since = momentSql(database, createdSince, parameters);
    keys.least = await firstKeyOfAge(run, least, since, parameters.values);
  }
  if (unchangedSince !== undefined) keys.most = await lastKeyBefore(database, run, unchangedSince);
  const [least, most] = [keys.least ?? Number(first), keys.most ?? Number(last)];
  return { keys, size: Math.max(0, most - least + 1) };
}

/** Up to which key jobs may have been unchanged since a time: none was changed before it was there. */
export const lastKeyBefore = async (database: Database, run: Run, time: Moment): Promise<number> =>
  await keySince(database, run, time, clockTolerance) - 1;

async function keySince(database: Database, run: Run, time: Moment, tolerance: number): Promise<number> {
  const parameters = createParameters();
  const since = `${momentSql(database, time, parameters)} + ${parameters.add(tolerance)}::bigint`;
  const [row] = await run(`SELECT ${firstKeySince("queuectl.jobs", since)} AS key`, parameters.values);
  return number(row, "key");
}

/** A point in time as an expression, which is asked for once: one that may be another for each row would use no index. */
export function momentSql(database: Database, time: Moment, parameters: Parameters): string {
  if ("at" in time) return `${parameters.add(time.at)}::bigint`;
  return `((SELECT ${timeSql(parameters.add(database.now()))}) - ${parameters.add(time.ago)}::bigint)`;
}

/** How many jobs are in these queues. */
async function countIn(run: Run, queues: readonly string[]): Promise<number> {
  const sum = jobStates.map((state) => `sum(${state})`).join(" + ");
  const [row] = await run(
    `SELECT coalesce(${sum}, 0)::bigint AS jobs FROM queuectl.queue_counters
     WHERE queue IN (SELECT json_array_elements_text($1::text::json))`,
    [asJson(queues)],
  );
  return number(row, "jobs");
}

/** How many jobs are in these states. */
async function countOf(run: Run, states: readonly JobState[]): Promise<number> {
  if (states.length === 0) return 0;
  const sums = states.map((state) => `sum(${state})`).join(" + ");
  const [row] = await run(`SELECT (${sums})::bigint AS jobs FROM queuectl.counters`);
  return number(row, "jobs");
}

/** Whether jobs are looked up one by one, as a tag or a text tells. */
export const isLookedUp = ({ tag, spans }: Way): boolean => tag !== undefined || spans !== undefined;

/** What is read, the column of it that has the keys of jobs, and what the queues and tags of the filter ask for. */
export function sourceOf(
  { queues, tags = [] }: JobFilter,
  way: Way,
  parameters: Parameters,
): { from: string; key: string; ofQueues: string[]; ofTags: string[] } {
  const [ofQueues, ofTags]: string[][] = [[], []];
  if (queues !== undefined) {
    const names = queues.map((queue) => parameters.add(queue));
    const [name] = names;
    // As a range, like a state: else the server leaves the queue out of an order that begins with it.
    if (names.length === 1) ofQueues.push(`queue BETWEEN ${name} AND ${name}`);
    else ofQueues.push(`queue IN (${names.join(", ") || "NULL"})`);
    // The condition of the index.
    if (queues.length > 0 && !queues.includes(defaultQueueName)) {
      ofQueues.push(`queue <> '${defaultQueueName}'`);
    }
  }
  // As it is written in the list of a job: no tag has a character that JSON would change.
  for (const tag of new Set(tags)) {
    if (tag !== way.tag) {
      ofTags.push(`position('"' || ${parameters.add(tag)}::text || '"' IN jobs.tags) > 0`);
    }
  }
  if (way.spans !== undefined) {
    const [first, last] = [way.spans.map(({ from }) => from), way.spans.map(({ to }) => to)].map((keys) =>
      `${parameters.add(asArray(keys))}::bigint[]`
    );
    const from = `unnest(${first}, ${last}) AS span (first_key, last_key)
      CROSS JOIN LATERAL (SELECT * FROM queuectl.jobs WHERE seq BETWEEN first_key AND last_key OFFSET 0) AS jobs`;
    return { from, key: "jobs.seq", ofQueues, ofTags };
  }
  if (way.tag === undefined) return { from: "queuectl.jobs", key: "seq", ofQueues, ofTags };
  ofQueues.unshift(`tagged.tag = ${parameters.add(way.tag)}`);
  // Nor can it begin with the jobs: there is a bound on what it looks up of each.
  const from = `queuectl.tags AS tagged
    CROSS JOIN LATERAL (SELECT * FROM queuectl.jobs WHERE seq = tagged.job OFFSET 0) AS jobs`;
  return { from, key: "tagged.job", ofQueues, ofTags };
}
