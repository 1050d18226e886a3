/** Which jobs are read to find those of a filter: by a tag, where fewer have it than are of the states. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { number } from "../rows.ts";
import { isView, type JobFilter, kindsAmong, mostCounted, viewStates } from "../selection.ts";
import type { Run } from "./database.ts";
import type { Parameters } from "./selection.ts";

/** By this tag; without one by whatever index the server finds. */
export interface Way {
  tag?: string;
}

/** Finds out how the jobs of a filter are found; asks nothing where there is no tag in it. */
export async function wayOf(
  run: Run,
  filter: JobFilter,
  among: readonly JobState[] = jobStates,
): Promise<Way> {
  const tags = [...new Set(filter.tags)];
  if (tags.length === 0) return {};
  const states = filter.kinds === undefined && among.length === jobStates.length ? [] : [
    ...new Set(
      kindsAmong(filter.kinds ?? among, among).flatMap((kind) => isView(kind) ? viewStates(among) : [kind]),
    ),
  ];
  const others = states.length === 0 ? Infinity : await countOf(run, states);
  const most = Math.min(others, mostCounted) + 1;
  let best: { tag?: string; size: number } = { size: others };
  for (const tag of tags) {
    const [row] = await run(
      `SELECT count(*) AS jobs FROM (
         SELECT 1 FROM queuectl.tags WHERE tag = $1 ORDER BY job LIMIT $2::bigint
       ) AS counted`,
      [tag, most],
    );
    const size = number(row, "jobs");
    if (size < best.size) best = { tag, size };
  }
  return { tag: best.tag };
}

/** How many jobs are in these states. */
async function countOf(run: Run, states: readonly JobState[]): Promise<number> {
  const sums = states.map((state) => `sum(${state})`).join(" + ");
  const [row] = await run(`SELECT (${sums})::bigint AS jobs FROM queuectl.counters`);
  return number(row, "jobs");
}

/** What is read, the column of it that has the keys of jobs, and what the queues and tags of the filter ask for. */
export function sourceOf(
  { queues, tags = [] }: JobFilter,
  way: Way,
  parameters: Parameters,
): { from: string; key: string; conditions: string[] } {
  const conditions: string[] = [];
  if (queues !== undefined) {
    const names = queues.map((queue) => parameters.add(queue));
    conditions.push(names.length === 1 ? `queue = ${names[0]}` : `queue IN (${names.join(", ") || "NULL"})`);
    // The condition of the index.
    if (queues.length > 0 && !queues.includes(defaultQueueName)) {
      conditions.push(`queue <> '${defaultQueueName}'`);
    }
  }
  // Each is looked up: as a join, the server would begin with whichever it takes for the rarest.
  for (const tag of new Set(tags)) {
    if (tag === way.tag) continue;
    conditions.push(
      `(SELECT true FROM queuectl.tags WHERE tag = ${parameters.add(tag)} AND tags.job = seq)`,
    );
  }
  if (way.tag === undefined) return { from: "queuectl.jobs", key: "seq", conditions };
  conditions.push(`tagged.tag = ${parameters.add(way.tag)}`);
  // Nor can it begin with the jobs: there is a bound on what it looks up of each.
  const from = `queuectl.tags AS tagged
    CROSS JOIN LATERAL (SELECT * FROM queuectl.jobs WHERE seq = tagged.job OFFSET 0) AS jobs`;
  return { from, key: "tagged.job", conditions };
}
