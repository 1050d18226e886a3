/** Which jobs are read to find those of a filter: by a queue or a tag, where fewer have it than are of the states. */

import type { SQLInputValue } from "node:sqlite";
import { defaultQueueName } from "../../job/job.ts";
import { number } from "../rows.ts";
import { type JobFilter, mostCounted } from "../selection.ts";
import type { Database } from "./database.ts";

/** One way to jobs, which can be read in the order of their keys. */
export interface Way {
  /** How many are read, or more than are counted. */
  size: number;
  /** Default: `jobs`. */
  from?: string;
  /** The column with the keys in whose order they are read; default: `seq`. */
  key?: string;
  /** Holds for them; `isYoung` is the condition on a key that is not too old, with AND before it, or nothing. */
  where(isYoung: (key: string) => string): string;
}

/** Past all jobs, the way that is there always. */
export const all: Way = { size: Infinity, where: () => "true" };

/** The way on which the fewest jobs are read. */
export const bestOf = (ways: readonly Way[]): Way =>
  ways.reduce((best, way) => way.size < best.size ? way : best, all);

/** The ways by queues and tags, and what has to hold on every way; undefined where there is no such job. */
export function wayOfQueuesAndTags(
  database: Database,
  { queues, tags = [] }: JobFilter,
  parameters: Record<string, SQLInputValue>,
  other: Way = all,
): { ways: Way[]; conditions: string[] } | undefined {
  const ways: Way[] = [];
  const conditions: string[] = [];
  if (queues !== undefined) {
    const names = queues.map((queue, index) => {
      parameters[`queue${index}`] = queue;
      return `:queue${index}`;
    });
    conditions.push(`+queue IN (${names.join(", ")})`);
    // There is no index on the queue that most jobs are in.
    if (!queues.includes(defaultQueueName)) {
      const size = jobsIn(database, queues);
      if (size === 0) return undefined;
      ways.push(wayOfQueues(size, names));
    }
  }
  let most = Math.min(other.size, ways[0]?.size ?? Infinity, mostCounted);
  for (const [index, tag] of [...new Set(tags)].entries()) {
    const name = `tag${index}`;
    parameters[name] = tag;
    conditions.push(`(SELECT 1 FROM tags WHERE tag = :${name} AND job = seq)`);
    const size = jobsWith(database, tag, most + 1);
    if (size === 0) return undefined;
    most = Math.min(most, size);
    ways.push({
      size,
      from: "tags AS tagged CROSS JOIN jobs ON jobs.seq = tagged.job",
      key: "tagged.job",
      where: () => `tagged.tag = :${name}`,
    });
  }
  return { ways, conditions };
}

/** The condition is that of the index too. Keys of several queues have no order, so they are sorted first. */
function wayOfQueues(size: number, names: readonly string[]): Way {
  const indexed = `queue <> '${defaultQueueName}'`;
  if (names.length === 1) return { size, where: () => `queue = ${names[0]} AND ${indexed}` };
  return {
    size: size > mostCounted ? Infinity : size,
    where: (isYoung) =>
      `seq IN (SELECT seq FROM jobs WHERE queue IN (${names.join(", ")}) AND ${indexed}${isYoung("seq")})`,
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
