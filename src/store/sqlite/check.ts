/** Looks for damage: what SQLite itself checks, and the invariants of schema.ts. */

import type { Database } from "./database.ts";

/** Statements that count rows which break an invariant, and what such rows mean. */
const invariants: Array<[string, string]> = [
  [
    "SELECT count(*) AS n FROM jobs WHERE state NOT IN ('pending', 'processing', 'completed', 'failed', 'dead', 'cancelled')",
    "jobs are in a state that does not exist",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE (state = 'processing') <> (worker IS NOT NULL)",
    "jobs run without a worker, or have one without running",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE cancel_requested = 1 AND state <> 'processing'",
    "jobs are to be ended without running",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE available = 1 AND state NOT IN ('pending', 'failed')",
    "jobs that are not waiting could be claimed",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE state IN ('pending', 'failed') AND available = 0 AND next_attempt_at IS NULL",
    "jobs wait for nothing and would wait for ever",
  ],
  [
    `SELECT count(*) AS n FROM counters
     WHERE name <> 'died' AND value <> (SELECT count(*) FROM jobs WHERE state = counters.name)`,
    "counts of `status` differ from the jobs",
  ],
];

/** Every problem found, in words; empty when the database is sound. Reads all of it. */
export async function check(database: Database): Promise<string[]> {
  return await database.read(() => {
    const damage = database.prepare("PRAGMA integrity_check(10)").all().map((row) =>
      String(row.integrity_check)
    );
    if (damage.join() !== "ok") return damage;
    return invariants.flatMap(([sql, meaning]) => {
      const count = Number(database.prepare(sql).get()!.n);
      return count === 0 ? [] : [`${count} ${meaning}`];
    });
  });
}
