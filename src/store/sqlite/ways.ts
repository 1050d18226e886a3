/** Which jobs are read to find those of a filter: by a queue or a tag, where fewer have it than are of the states. */

import type { SQLInputValue } from "node:sqlite";
import { defaultQueueName } from "../../job/job.ts";
import { areFew, isWorthALook, sizeOf, type Span } from "../key_parts.ts";
import { number } from "../rows.ts";
import { type JobFilter, mostCounted } from "../selection.ts";
import { keysOfAges } from "./ages.ts";
import type { Database } from "./database.ts";
import { spansWith } from "./search_index.ts";

/** One way to jobs, which can be read in the order of their keys. */
export interface Way {
  /** How many are read, or more than are counted. */
  size: number;
  /** Default: `jobs`. */
  from?: string;
  /** The keys that are read, which the parameter `:spans` says. */
  spans?: readonly Span[];
  /** Reads all keys from an index alone. */
  keysSql?: string;
  /** The column with the keys in whose order they are read; default: `seq`. */
  key?: string;
  /** Holds for them; `isOfAge` is the condition on a key that is neither too old nor too young, with AND before it, or nothing. */
  where(isOfAge: (key: string) => string): string;
}

/** Past all jobs, the way that is there always. */
export const all: Way = { size: Infinity, where: () => "true" };

/** The way on which the fewest jobs are read. */
export const bestOf = (ways: readonly Way[]): Way =>
  ways.reduce((best, way) => way.size < best.size ? way : best, all);

/**
 * Past the jobs that can have a text; undefined where they are many, or `size` of another way few: these are rather read as
 * they come. More of them are worth it where they are read only until there are enough.
 */
export function wayOfText(
  database: Database,
  filter: JobFilter,
  { size, isByAge }: { size: number; isByAge: boolean },
): Way | undefined {
  if (filter.search === undefined) return undefined;
  const { first, last } = database.prepare(`
    SELECT (SELECT min(seq) FROM jobs) AS first, (SELECT max(seq) FROM jobs) AS last`).get()!;
  const ofAges = keysOfAges(database, filter);
  const all = {
    from: Math.max(Number(first ?? 1), ofAges.first),
    to: Math.min(Number(last ?? 0), ofAges.last),
  };
  if (!isWorthALook(size, all)) return undefined;
  const spans = spansWith(database, filter.search, all);
  if (!areFew(spans, all, isByAge ? 2 : 5)) return undefined;
  const ends = "SELECT value ->> 0 AS first_key, value ->> 1 AS last_key FROM json_each(:spans)";
  return {
    size: sizeOf(spans),
    spans,
    from: `(${ends}) CROSS JOIN jobs ON jobs.seq BETWEEN first_key AND last_key`,
    key: "jobs.seq",
    where: () => "true",
  };
}

/** Spans as the parameter `:spans` of {@link wayOfText}. */
export const spanList = (spans: readonly Span[]): string =>
  JSON.stringify(spans.map(({ from, to }) => [from, to]));

/**
 * The ways by queues and tags, and what has to hold on every way; undefined where there is no such job. By a tag of very
 * many only where nothing else is asked for, and jobs are wanted as they come: looking each of them up takes longer than
 * reading past the others.
 */
export function wayOfQueuesAndTags(
  database: Database,
  filter: JobFilter,
  parameters: Record<string, SQLInputValue>,
  { other, isByAge }: { other?: Way; isByAge: boolean },
): { ways: Way[]; ofQueues: string[]; ofTags: string[] } | undefined {
  const { queues, tags = [] } = filter;
  const ways: Way[] = [];
  const ofQueues: string[] = [];
  if (queues !== undefined) {
    const names = queues.map((queue, index) => {
      parameters[`queue${index}`] = queue;
      return `:queue${index}`;
    });
    // Few as they are, they are compared sooner than looked up.
    ofQueues.push(`(${names.map((name) => `+queue = ${name}`).join(" OR ") || "false"})`);
    // There is no index on the queue that most jobs are in.
    if (!queues.includes(defaultQueueName)) {
      const size = jobsIn(database, queues);
      if (size === 0) return undefined;
      ways.push(wayOfQueues(size, names));
    }
  }
  const ofTags: string[] = [];
  const isAlone = isByAge && other === undefined && queues === undefined && filter.search === undefined &&
    filter.unchangedSince === undefined;
  let most = Math.min(other?.size ?? Infinity, ways[0]?.size ?? Infinity, mostCounted);
  const distinct = [...new Set(tags)];
  for (const [index, tag] of distinct.entries()) {
    const name = `tag${index}`;
    parameters[name] = tag;
    // As it is written in the list of a job: no tag has a character that JSON would change.
    ofTags.push(`instr(tags, '"' || :${name} || '"') > 0`);
    const size = jobsWith(database, tag, most + 1);
    if (size === 0) return undefined;
    if (size > most && !(isAlone && distinct.length === 1)) continue;
    most = Math.min(most, size);
    ways.push({
      size,
      from: "tags AS tagged CROSS JOIN jobs ON jobs.seq = tagged.job",
      key: "tagged.job",
      where: () => `tagged.tag = :${name}`,
    });
  }
  return { ways, ofQueues, ofTags };
}

/** The condition is that of the index too. Keys of several queues have no order, so they are sorted first. */
function wayOfQueues(size: number, names: readonly string[]): Way {
  const indexed = `queue <> '${defaultQueueName}'`;
  if (names.length === 1) return { size, where: () => `queue = ${names[0]} AND ${indexed}` };
  return {
    size: size > mostCounted ? Infinity : size,
    where: (isOfAge) =>
      `seq IN (SELECT seq FROM jobs WHERE queue IN (${names.join(", ")}) AND ${indexed}${isOfAge("seq")})`,
  };
}

function jobsIn(database: Database, queues: readonly string[]): number {
  const row = database.prepare(`
    SELECT coalesce(sum(value), 0) AS jobs FROM queue_counters WHERE queue IN (SELECT value FROM json_each(?))`)
    .get(JSON.stringify(queues))!;
  return number(row, "jobs");
}

/** As many jobs as have the tag, counted up to `most`. */
function jobsWith(database: Database, tag: string, most: number): number {
  const row = database.prepare(
    "SELECT count(*) AS jobs FROM (SELECT 1 FROM tags WHERE tag = ? LIMIT ? + 0)",
  ).get(tag, most)!;
  return number(row, "jobs");
}
