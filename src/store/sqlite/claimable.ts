/** The jobs that are claimed next: the first of every queue that may start one, by their priority and age. */

import { defaultQueueName } from "../../job/job.ts";
import { allQueues, grains } from "../queues.ts";
import { number, numberOrNull, type Row, text } from "../rows.ts";
import { readCounters } from "./counters.ts";
import type { BegunRun } from "../store.ts";
import type { Database } from "./database.ts";
import { claimable } from "./schema.ts";

/** What keeps jobs of a queue from being started. */
export interface Limit {
  paused: boolean;
  concurrency: number | null;
  rate: number | null;
  /** Milliseconds. */
  period: number;
}

/** The queues that are paused or limited, by their names; read inside a transaction. */
export function limitsOf(database: Database): Map<string, Limit> {
  const rows = database.prepare(`
    SELECT name, paused, concurrency, rate, rate_period FROM queues
    WHERE paused = 1 OR concurrency IS NOT NULL OR rate IS NOT NULL`).all();
  return new Map(rows.map((row) => [text(row, "name"), {
    paused: row.paused === 1,
    concurrency: numberOrNull(row, "concurrency"),
    rate: numberOrNull(row, "rate"),
    period: numberOrNull(row, "rate_period") ?? 0,
  }]));
}

/**
 * The first jobs that may be claimed, highest priority first, oldest first, of these queues (null: of all), up to the
 * `places` that each of them has. `columns` has to name `seq` and `priority`. Read inside a transaction.
 */
export function firstClaimable(
  database: Database,
  limit: number,
  columns: string,
  queues: readonly string[] | null = null,
  places: (queue: string) => number = () => limit,
): Row[] {
  // A limit that is nothing but a parameter makes SQLite prepare the statement anew for each value.
  const first = database.prepare(`
    SELECT ${columns} FROM jobs WHERE ${claimable} AND queue = ? ORDER BY priority DESC, seq LIMIT ? + 0`);
  const names = queues ?? queuesWithWork(database);
  const rows: Row[] = names.flatMap((queue) => {
    const free = Math.min(limit, places(queue));
    return free > 0 ? first.all(queue, free) : [];
  });
  if (names.length < 2) return rows;
  return rows
    .sort((a, b) => number(b, "priority") - number(a, "priority") || number(a, "seq") - number(b, "seq"))
    .slice(0, limit);
}

/** The queues with jobs that may be claimed: a look at the index for each, however many jobs they have. */
export function queuesWithWork(database: Database): string[] {
  const next = database.prepare(
    `SELECT queue FROM jobs WHERE ${claimable} AND queue > ? ORDER BY queue LIMIT 1`,
  );
  const queues: string[] = [];
  for (let row = next.get(""); row !== undefined; row = next.get(queues.at(-1)!)) {
    queues.push(text(row, "queue"));
  }
  return queues;
}

/**
 * How many jobs of a queue, or of {@link allQueues}, may be started besides those that run and were started; Infinity
 * where nothing limits them. Whatever changes the counters has to be written.
 */
export function placesOf(database: Database, limit: Limit | undefined, queue: string, now: number): number {
  if (limit === undefined) return Infinity;
  if (limit.paused) return 0;
  const { concurrency, rate, period } = limit;
  const free = concurrency === null ? Infinity : concurrency - processingOf(database, queue);
  const left = rate === null
    ? Infinity
    : rate - startsOf(database, queue, now - period, now + grainOf(period));
  return Math.max(0, Math.min(free, left));
}

/** The number of jobs of a queue, or of {@link allQueues}, that run. */
export function processingOf(database: Database, queue: string): number {
  if (queue !== allQueues && queue !== defaultQueueName) {
    const row = database.prepare("SELECT value FROM queue_counters WHERE queue = ? AND name = 'processing'")
      .get(queue);
    return row === undefined ? 0 : number(row, "value");
  }
  const { processing } = readCounters(database);
  if (queue === allQueues) return processing;
  const { others } = database.prepare(
    "SELECT coalesce(sum(value), 0) AS others FROM queue_counters WHERE name = 'processing'",
  ).get()!;
  return processing - Number(others);
}

/** Holds for a row of starts whose run goes on, and has not begun as far as anybody has told. */
const awaited = "at < 0 AND EXISTS (SELECT 1 FROM jobs WHERE seq = -at AND worker IS NOT NULL)";

/** Starts after `since` up to `until`, with those that may come at any moment. */
function startsOf(database: Database, queue: string, since: number, until: number): number {
  const row = database.prepare(`
    SELECT coalesce(sum(jobs), 0) AS jobs FROM starts WHERE queue = ? AND (at > ? AND at <= ? OR ${awaited})`)
    .get(queue, since, until)!;
  return number(row, "jobs");
}

/** To so many milliseconds times of starts are rounded up, so that few rows are to be counted however high a rate is. */
const grainOf = (period: number): number => Math.max(1, Math.floor(period / grains));

/** Milliseconds until the rate of a queue lets it start another job; null where it is not the rate that keeps it. */
export function rateDelay(database: Database, limit: Limit, queue: string, now: number): number | null {
  if (limit.rate === null) return null;
  // The start that has to be left behind, so that fewer than `rate` are within the period. One that is still to come is at
  // the earliest now: so nobody waits too long who looks again then.
  const toCome = startsOf(database, queue, now, now);
  if (toCome >= limit.rate) return limit.period;
  const row = database.prepare(`
    SELECT at FROM (
      SELECT at, sum(jobs) OVER (ORDER BY at DESC) AS jobs FROM starts WHERE queue = ? AND at > ? AND at <= ?
    ) WHERE jobs >= ? ORDER BY at DESC LIMIT 1`).get(
    queue,
    now - limit.period,
    now + grainOf(limit.period),
    limit.rate - toCome,
  );
  return row === undefined ? null : number(row, "at") + limit.period - now;
}

/**
 * Forgets the starts of a queue that its rate does not count any more; those that a clock that was set back has put into
 * the future count as now, and so do runs of which nobody has told that they have begun, and which do not go on.
 */
export function tidyStarts(database: Database, limit: Limit, queue: string, now: number): void {
  const { period } = limit;
  database.prepare("DELETE FROM starts WHERE queue = ? AND at BETWEEN 0 AND ?").run(queue, now - period);
  const latest = now + grainOf(period);
  const isAside = `queue = ? AND (at > ? OR at < 0 AND NOT (${awaited}))`;
  const { jobs } = database.prepare(`SELECT sum(jobs) AS jobs FROM starts WHERE ${isAside}`)
    .get(queue, latest)!;
  if (jobs === null) return;
  database.prepare(`DELETE FROM starts WHERE ${isAside}`).run(queue, latest);
  addStarts(database, limit, queue, now, Number(jobs));
}

/** Notes that a job is claimed, and its command is to begin, where a rate counts that; whether it does. */
export function awaitStart(database: Database, limits: Map<string, Limit>, row: Row): boolean {
  const queue = text(row, "queue");
  if (typeof limits.get(queue)?.rate !== "number") return false;
  database.prepare("INSERT INTO starts (queue, at, jobs) VALUES (?, ?, 1)").run(queue, -number(row, "seq"));
  return true;
}

/** These runs count as begun now. Nothing is done for those of an older claim. */
export function dateStarts(database: Database, begun: readonly BegunRun[], now: number): void {
  const limits = limitsOf(database);
  const take = database.prepare(`
    DELETE FROM starts WHERE queue = (SELECT queue FROM jobs WHERE seq = ?1 AND claim = ?2) AND at = -?1
    RETURNING queue`);
  const taken = begun.flatMap(({ seq, claim }) => take.all(seq, claim));
  for (const [queue, { length }] of Map.groupBy(taken, (row) => text(row, "queue"))) {
    const limit = limits.get(queue);
    if (limit !== undefined) addStarts(database, limit, queue, now, length);
  }
}

/** Notes that so many commands of a queue have begun. */
function addStarts(
  database: Database,
  { period }: Limit,
  queue: string,
  now: number,
  jobs: number,
): void {
  const grain = grainOf(period);
  database.prepare(`
    INSERT INTO starts (queue, at, jobs) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs`)
    .run(queue, Math.ceil(now / grain) * grain, jobs);
}
