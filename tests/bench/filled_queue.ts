/** Queues with any number of jobs, filled by a few statements, in a file or on PostgreSQL. */

import postgres from "postgres";
import { connect } from "../../src/store/sqlite/database.ts";
import { join } from "../store/suite/harness.ts";
import { type BenchQueue, benchQueue } from "./queue.ts";

/** Jobs by what they wait for. */
export interface Contents {
  ready?: number;
  completed?: number;
  scheduled?: number;
  dead?: number;
  /** Ready ones in a queue that is paused, and in one of which one job runs and no more may: undefined for no such queue. */
  paused?: number;
  full?: number;
  /**
   * Gives all jobs the tag `all`, each fifth one `fifth` and the first three `three`; puts the dead into the queue
   * `dead`, and the first three into `three`.
   */
  tagged?: boolean;
}

/** Milliseconds over which the jobs came, each later than the one before. */
const age = 10 * 86_400_000;

/** A queue with as many jobs of each kind, ready ones last; at `url`, or in a file. */
export async function filledQueue(contents: Contents, url?: string): Promise<BenchQueue> {
  const queue = await benchQueue(0, "true", url);
  const statements = statementsFor(contents, url !== undefined, Date.now());
  if (url === undefined) {
    const database = connect(queue.database, false, Date.now);
    await database.write(() => statements.forEach((statement) => database.connection.exec(statement)));
    database.close();
  } else await runOnServer(url, statements);
  if (contents.paused !== undefined) await queue.store.setQueue("paused", { paused: true });
  if (contents.full !== undefined) {
    await queue.store.setQueue("full", { concurrency: 1 });
    if (contents.full > 0) await queue.store.exchange(await join(queue.store, { queues: ["full"] }), [], 1);
  }
  return queue;
}

async function runOnServer(url: string, statements: readonly string[]): Promise<void> {
  const address = new URL(url);
  const schema = address.searchParams.get("schema");
  address.searchParams.delete("schema");
  const sql = postgres(address.href, { max: 1, onnotice: () => {} });
  await sql.unsafe(`SET search_path = "${schema}"`);
  await sql.begin((transaction) => statements.map((statement) => transaction.unsafe(statement)));
  // As the server does by itself within minutes.
  await sql.unsafe("VACUUM (ANALYZE) jobs");
  await sql.unsafe("VACUUM (ANALYZE) tags");
  await sql.end();
}

const tags = (seq: string) =>
  `CASE WHEN ${seq} <= 3 THEN '["all","three"]' WHEN (${seq}) % 5 = 0 THEN '["all","fifth"]' ELSE '["all"]' END`;

/** SQL that both engines take, but for their truth values and for what only SQLite's schema has. */
function statementsFor(contents: Contents, isServer: boolean, now: number): string[] {
  const { completed = 0, scheduled = 0, dead = 0, ready = 0, paused = 0, full = 0, tagged } = contents;
  const [yes, no] = isServer ? ["true", "false"] : ["1", "0"];
  const all = completed + scheduled + dead + ready + paused + full;
  const statements: string[] = [];
  let before = 0;
  const fill = (
    name: string,
    jobs: number,
    { state, available = no, attempts = 0, error = "NULL", later = "NULL", queue = "default" }: {
      state: string;
      available?: string;
      attempts?: number;
      error?: string;
      later?: string;
      queue?: string;
    },
  ) => {
    if (jobs === 0) return;
    const created = `${now - age} + (${before} + n) * ${Math.floor(age / all)}`;
    // Up to an hour later, where it has run.
    const updated = attempts > 0 ? `${created} + n * 7919 % 3600000` : created;
    const aside = isServer ? ["", ""] : [", set_aside", `, ${state === "dead" ? "1" : "NULL"}`];
    statements.push(`
      INSERT INTO jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at,
        next_attempt_at, last_error, queue, tags${aside[0]})
      WITH RECURSIVE numbers (n) AS (
        SELECT cast(1 AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < ${jobs}
      )
      SELECT '${name}-' || n, './convert.sh --quality 80 photos/' || n || '.jpg', '${state}', ${available},
        ${attempts}, 3, 0, ${created}, ${updated}, ${later}, ${error},
        ${
      tagged
        ? `CASE WHEN ${before} + n <= 3 THEN 'three' ELSE '${queue}' END, ${tags(`${before} + n`)}`
        : `'${queue}', NULL`
    }${aside[1]}
      FROM numbers`);
    before += jobs;
  };
  fill("completed", completed, { state: "completed", attempts: 1 });
  fill("failed", scheduled, {
    state: "failed",
    attempts: 1,
    error: "'failed'",
    later: String(now + 86_400_000),
  });
  fill("dead", dead, { state: "dead", attempts: 4, error: "'failed'", queue: tagged ? "dead" : "default" });
  fill("pending", ready, { state: "pending", available: yes });
  fill("paused", paused, { state: "pending", available: yes, queue: "paused" });
  fill("full", full, { state: "pending", available: yes, queue: "full" });
  if (tagged) {
    statements.push(
      "INSERT INTO tags (tag, job) SELECT 'all', seq FROM jobs ORDER BY seq",
      "INSERT INTO tags (tag, job) SELECT 'fifth', seq FROM jobs WHERE seq % 5 = 0 AND seq > 3 ORDER BY seq",
      "INSERT INTO tags (tag, job) SELECT 'three', seq FROM jobs WHERE seq <= 3",
    );
  }
  statements.push(`INSERT INTO queues (name)
    SELECT DISTINCT queue FROM jobs WHERE queue <> 'default'`);
  // Triggers count on the server.
  if (isServer) return statements;
  return [
    ...statements,
    `UPDATE counters SET value = (SELECT count(*) FROM jobs WHERE state = name) WHERE name <> 'died'`,
    `INSERT INTO queue_counters (queue, name, value)
      SELECT queue, state, count(*) FROM jobs WHERE queue <> 'default' GROUP BY queue, state`,
  ];
}
