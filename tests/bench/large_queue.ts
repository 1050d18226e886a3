/** Whether a queue with a million jobs is as fast as a small one. */

import type { JobState } from "../../src/job/job.ts";
import { openTally } from "../../src/store/sqlite/counters.ts";
import { connect } from "../../src/store/sqlite/database.ts";
import type { Store } from "../../src/store/store.ts";
import { finished, join, success } from "../store/suite/harness.ts";
import { type BenchQueue, benchQueue, timed } from "./queue.ts";
import { comparison, type Row } from "./report.ts";
import { interleaved, median } from "./statistics.ts";

/** Jobs by what they wait for. */
interface Contents {
  ready?: number;
  completed?: number;
  scheduled?: number;
  dead?: number;
  /** Ready ones in a queue that is paused, and in one of which one job runs and no more may. */
  paused?: number;
  full?: number;
}

/** A queue with as many jobs of each kind; `ready` ones come last. */
export async function filledQueue(
  { ready = 0, completed = 0, scheduled = 0, dead = 0, paused = 0, full = 0 }: Contents,
): Promise<BenchQueue> {
  const queue = await benchQueue();
  const database = connect(queue.database, false, Date.now);
  const now = Date.now();
  await database.write(() => {
    const insert = database.prepare(`
      WITH RECURSIVE numbers (n) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
      INSERT INTO jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at,
        next_attempt_at, last_error, set_aside, queue)
      SELECT coalesce(?8, ?2) || '-' || n, 'true', ?2, ?3, ?4, 3, 0, ?5, ?5, ?6, ?7,
        CASE ?2 WHEN 'dead' THEN 1 END, coalesce(?8, 'default') FROM numbers`);
    insert.run(completed, "completed", 0, 1, now, null, null, null);
    insert.run(scheduled, "failed", 0, 1, now, now + 86_400_000, "failed", null);
    insert.run(dead, "dead", 0, 4, now, null, "failed", null);
    insert.run(ready, "pending", 1, 0, now, null, null, null);
    for (const [queue, jobs] of [["paused", paused], ["full", full]] as const) {
      insert.run(jobs, "pending", 1, 0, now, null, null, queue);
    }
    const tally = openTally(database);
    tally.move(null, "pending", paused, "paused");
    tally.move(null, "pending", full, "full");
    for (const [state, jobs] of Object.entries({ completed, failed: scheduled, dead, pending: ready })) {
      tally.move(null, state as JobState, jobs);
    }
    tally.write();
  });
  database.close();
  if (paused > 0) await queue.store.setQueue("paused", { paused: true });
  if (full > 0) {
    await queue.store.setQueue("full", { concurrency: 1 });
    await queue.store.exchange(await join(queue.store, { queues: ["full"] }), [], 1);
  }
  return queue;
}

/** Gives all jobs the tag `all` and the first three `three`; puts the dead into the queue `dead`, the first three into `three`. */
export async function addTagsAndQueues({ database: file }: BenchQueue): Promise<void> {
  const database = connect(file, false, Date.now);
  await database.write(() => {
    database.connection.exec(`
      UPDATE jobs SET tags = '["all"]';
      UPDATE jobs SET tags = '["all","three"]', queue = 'three' WHERE seq IN (SELECT seq FROM jobs ORDER BY seq LIMIT 3);
      UPDATE jobs SET queue = 'dead' WHERE state = 'dead';
      INSERT INTO tags (tag, job) SELECT 'all', seq FROM jobs;
      INSERT INTO tags (tag, job) SELECT 'three', seq FROM jobs WHERE queue = 'three';
      INSERT INTO queues (name) VALUES ('dead'), ('three');
      INSERT INTO queue_counters (queue, name, value)
        SELECT queue, state, count(*) FROM jobs WHERE queue <> 'default' GROUP BY queue, state`);
  });
  database.close();
}

/** Microseconds for each of some claims of one job, which is recorded with the next one. */
async function claimTime(store: Store, worker: number, claims: number): Promise<number> {
  let running = (await store.exchange(worker, [], 1)).claims;
  const time = await timed(async () => {
    for (let claim = 0; claim < claims; claim++) {
      running = (await store.exchange(worker, running.map((run) => finished(run, success)), 1)).claims;
      if (running.length !== 1) throw new Error("there was nothing to claim");
    }
  });
  await store.exchange(worker, running.map((run) => finished(run, success)), 0);
  return time * 1000 / claims;
}

/** Claims at a million jobs, over claims at a thousand. */
export async function claims(rounds: number): Promise<Row[]> {
  const each = 500;
  const ready = each * (rounds + 2);
  await using small = await filledQueue({ ready: Math.max(1000, ready) });
  await using waiting = await filledQueue({ ready: 1_000_000 });
  await using beside = await filledQueue({ completed: 1_000_000, scheduled: 100_000, dead: 100_000, ready });
  await using few = await filledQueue({ completed: 1_000_000, scheduled: 100_000, dead: 100_000, ready: 10 });
  await using limited = await filledQueue({ paused: 500_000, full: 500_000, ready });
  const time = async (queue: BenchQueue, count = each) => {
    const worker = await join(queue.store);
    return await claimTime(queue.store, worker, count);
  };
  const results = await interleaved(rounds, {
    small: () => time(small),
    waiting: () => time(waiting),
    beside: () => time(beside),
    limited: () => time(limited),
  });
  // Ten ready jobs are soon used up: once, without a comparison in rounds.
  const ten = await time(few, 9);
  const against = "1 000 waiting";
  return [
    comparison("claim at 1 000 000 waiting jobs", "µs", results.waiting, against, results.small, {
      atMost: 1.2,
    }),
    comparison(
      "claim beside 1 000 000 completed, 100 000 scheduled, 100 000 dead",
      "µs",
      results.beside,
      against,
      results.small,
      { atMost: 1.2 },
    ),
    // It asks for the limits, and counts what runs; but reads nothing of the others.
    comparison(
      "claim beside 500 000 waiting in a paused queue, 500 000 in a full one",
      "µs",
      results.limited,
      against,
      results.small,
      { atMost: 2 },
    ),
    { figure: "the same with 10 ready jobs, once", unit: "µs", value: ten },
  ];
}

/** Milliseconds that a command may take longer at a million jobs. */
const quick = 30;
/** The same where keys of many jobs have to be sorted. */
const sorting = 100;

/** Commands on a queue with a million jobs, over the same commands on one with a few. */
export async function commands(rounds: number): Promise<Row[]> {
  const contents = { completed: 600_000, ready: 200_000, scheduled: 100_000, dead: 100_000 };
  await using large = await filledQueue(contents);
  await using small = await filledQueue({ completed: 1000, ready: 1000, scheduled: 1000, dead: 1100 });
  for (const queue of [large, small]) await addTagsAndQueues(queue);
  let next = 1;
  const words = (text: string) => () => text.split(" ");
  /** Milliseconds over the small queue that are the target; null for a search that reads all jobs. */
  const kinds: Array<[name: string, target: number | null, args: () => string[]]> = [
    ...[
      "worker list",
      "status",
      "status --workers",
      "list --limit 50",
      "list --limit 50 --cursor 500000",
      "list --limit 50 --sort id,desc",
      "list --limit 50 --state cancelled",
      "list --limit 50 --state scheduled",
      "list --limit 50 --since 2h",
      "list --limit 50 --since 2999-01-01",
      "list --limit 50 --queue dead",
      "list --limit 50 --queue three",
      "list --limit 50 --tag all",
      "list --limit 50 --tag three",
      "list --limit 50 --tag all,three",
      "list --limit 50 --tag all --queue three",
      "list --limit 50 --tag three --state completed",
      "list --limit 50 --tag all --state dead",
      "cancel --tag three --state failed",
      "dlq list",
      "dlq list --since 2h",
      "dlq show dead-50",
      "cancel --state processing",
      "retry --state cancelled",
      "rm --state cancelled",
      "dlq purge --since 2999-01-01",
    ].map((text) => [text, quick, words(text)] as [string, number, () => string[]]),
    ["dlq retry ID", quick, () => ["dlq", "retry", `dead-${next++}`]],
    ["retry ID", quick, () => ["retry", `dead-${next++}`]],
    ["rm ID", quick, () => ["rm", `dead-${next++}`]],
    ["edit ID --set priority=1", quick, () => ["edit", `dead-${next++}`, "--set", "priority=1"]],
    ["cancel ID", quick, () => ["cancel", `pending-${next++}`]],
    ...[
      "list --limit 50 --state failed",
      "list --limit 50 --state failed,dead",
      "list --limit 50 --state pending",
      "list --limit 50 --state waiting",
      "cancel --state waiting --since 2999-01-01",
    ].map((text) => [text, sorting, words(text)] as [string, number, () => string[]]),
    ...[
      "list --limit 50 --search zzz",
      "list --limit 50 --older-than 7d",
      "list --limit 50 --sort priority",
      "list --limit 50 --sort updated,desc",
    ].map((text) => [text, null, words(text)] as [string, null, () => string[]]),
  ];
  const rows: Row[] = [];
  for (const [name, target, args] of kinds) {
    const time = async (queue: BenchQueue) => {
      const times: number[] = [];
      for (let run = 0; run < 5; run++) {
        const command = args();
        times.push(await timed(() => queue.run(command)));
      }
      return median(times);
    };
    const results = await interleaved(rounds, { large: () => time(large), small: () => time(small) });
    const differences = results.large.map((value, round) => value - results.small[round]);
    rows.push({
      figure: `${name} at 1 000 000 jobs`,
      unit: "ms",
      value: median(results.large),
      against: { name: "a small queue", value: median(results.small) },
      difference: median(differences),
      target: target === null ? undefined : { atMost: target },
    });
  }
  return rows;
}
