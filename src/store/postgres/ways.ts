/** Which jobs are read to find those of a filter: by a tag, where fewer have it than are of the states and the queues. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { number } from "../rows.ts";
import { isView, type JobFilter, kindsAmong, mostCounted, viewStates } from "../selection.ts";
import type { Run } from "./database.ts";
import type { Parameters } from "./selection.ts";
import { asJson } from "./storable.ts";

/** By this tag; without one by whatever index the server finds. */
export interface Way {
  tag?: string;
  /** How many jobs are read at most; Infinity for all there are. */
  size: number;
}

/**
 * Finds out how the jobs of a filter are found. By a tag of very many only where nothing else is asked for, and jobs are
 * wanted as they come (`isByAge`): looking each of them up takes longer than reading past the others.
 */
export async function wayOf(
  run: Run,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
  isByAge = false,
): Promise<Way> {
  const tags = [...new Set(filter.tags)];
  const { kinds, queues, search, unchangedSince } = filter;
  const isAny = kinds === undefined && among.length === jobStates.length;
  let size = Infinity;
  if (!isAny) {
    const states = kindsAmong(kinds ?? among, among).flatMap((kind) =>
      isView(kind) ? viewStates(among) : [kind]
    );
    size = await countOf(run, [...new Set(states)]);
  }
  if (queues !== undefined && !queues.includes(defaultQueueName)) {
    size = Math.min(size, await countIn(run, queues));
  }
  const isAlone = isByAge && isAny && tags.length === 1 && queues === undefined && search === undefined &&
    unchangedSince === undefined;
  const most = Math.min(size, mostCounted);
  let best: Way = { size };
  for (const tag of tags) {
    const [row] = await run(
      `SELECT count(*) AS jobs FROM (
         SELECT 1 FROM queuectl.tags WHERE tag = $1 ORDER BY job LIMIT $2::bigint
       ) AS counted`,
      [tag, most + 1],
    );
    const jobs = number(row, "jobs");
    if (isAlone || jobs <= most && jobs < best.size) best = { tag, size: jobs };
  }
  return best;
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

/** What is read, the column of it that has the keys of jobs, and what the queues and tags of the filter ask for. */
export function sourceOf(
  { queues, tags = [] }: JobFilter,
  way: Way,
  parameters: Parameters,
): { from: string; key: string; ofQueues: string[]; ofTags: string[] } {
  const [ofQueues, ofTags]: string[][] = [[], []];
  if (queues !== undefined) {
    const names = queues.map((queue) => parameters.add(queue));
    ofQueues.push(names.length === 1 ? `queue = ${names[0]}` : `queue IN (${names.join(", ") || "NULL"})`);
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
  if (way.tag === undefined) return { from: "queuectl.jobs", key: "seq", ofQueues, ofTags };
  ofQueues.unshift(`tagged.tag = ${parameters.add(way.tag)}`);
  // Nor can it begin with the jobs: there is a bound on what it looks up of each.
  const from = `queuectl.tags AS tagged
    CROSS JOIN LATERAL (SELECT * FROM queuectl.jobs WHERE seq = tagged.job OFFSET 0) AS jobs`;
  return { from, key: "tagged.job", ofQueues, ofTags };
}
