/** How many jobs there are, and the tags they have. */

import { type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type KeptBack } from "../queues.ts";
import { number, text } from "../rows.ts";
import { nothing, type Part, raw, type Sql, type Steps } from "../sql.ts";

/** The number of jobs in every state. */
export function* counts(sql: Sql): Steps<Record<JobState, number>> {
  const all = yield* sql.counters();
  return Object.fromEntries(jobStates.map((state) => [state, all[state]])) as Record<JobState, number>;
}

/** How many jobs ever became dead. */
export function* deaths(sql: Sql): Steps<number> {
  return (yield* sql.counters()).died;
}

/** How many jobs run or wait, without those that are held. */
export function* countOpen(sql: Sql): Steps<number> {
  const { pending, processing, failed } = yield* sql.counters();
  return pending + processing + failed - (yield* count(sql, "jobs_held", sql.held));
}

/** What keeps jobs from being claimed: by the indexes of what is seldom, without a look at all that wait. */
export function* keptBack(sql: Sql): Steps<KeptBack> {
  const blocked = raw("blocked > 0 AND state IN ('pending', 'failed')");
  const timed: Part = (add) => `next_attempt_at > (SELECT ${sql.now(add)})`;
  const and = (...conditions: Part[]): Part => (add) => conditions.map((part) => part(add)).join(" AND ");
  const held = yield* count(sql, "jobs_held", sql.held);
  const heldBlocked = yield* count(sql, "jobs_held", and(sql.held, raw("blocked > 0")));
  const heldTimed = yield* count(sql, "jobs_held", and(sql.held, timed));
  const isBlocked = yield* count(sql, "jobs_blocked", blocked);
  const blockedTimed = yield* count(sql, "jobs_blocked", and(blocked, raw("NOT held"), timed));
  const isTimed = yield* count(sql, "jobs_waiting", timed);
  return {
    held,
    blocked: isBlocked - heldBlocked,
    scheduled: isTimed - heldTimed - blockedTimed,
    paused: yield* countPaused(sql),
  };
}

function* countPaused(sql: Sql): Steps<number> {
  const rows = yield* sql`SELECT name FROM queuectl.queues WHERE paused`;
  const names = rows.map((row) => text(row, "name"));
  if (names.length === 0) return 0;
  const among: Part = names.includes(allQueues) ? nothing : (add) => `AND queue ${sql.among(names)(add)}`;
  const [row] = yield* sql`SELECT count(*) AS jobs FROM queuectl.jobs WHERE ${sql.claimable} ${among}`;
  return number(row, "jobs");
}

function* count(sql: Sql, index: string, condition: Part): Steps<number> {
  const [row] = yield* sql`SELECT count(*) AS jobs FROM queuectl.jobs ${sql.by(index)} WHERE ${condition}`;
  return number(row, "jobs");
}

/** The first tags that jobs have. */
export function* tagNames(sql: Sql, limit: number): Steps<string[]> {
  // From each to the next one: a tag may be that of a million jobs.
  const rows = yield* sql`
    WITH RECURSIVE names (tag) AS (
      SELECT min(tag) FROM queuectl.tags
      UNION ALL
      SELECT (SELECT min(tag) FROM queuectl.tags WHERE tag > names.tag) FROM names WHERE names.tag IS NOT NULL
    )
    SELECT tag FROM names WHERE tag IS NOT NULL LIMIT ${limit} + 0`;
  return rows.map((row) => text(row, "tag"));
}
