/** Looks for damage: what SQLite itself checks, and the invariants of schema.ts. */

import { DatabaseSync } from "node:sqlite";
import { damageReport, readQueue, readRun, readSetting, readWholeJob } from "../damage_report.ts";
import { queueColumns } from "../queues.ts";
import { endedRunColumns, jobColumns, processColumns, processFromRow } from "../rows.ts";
import type { Database } from "./database.ts";
import { keptBack } from "../operations/counts.ts";
import { perform } from "./engine.ts";
import { tables } from "./tables.ts";

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
    "SELECT count(*) AS n FROM jobs WHERE (state IN ('dead', 'cancelled')) <> (set_aside IS NOT NULL)",
    "jobs are dead or cancelled without being set aside, or the other way round",
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
    "SELECT count(*) AS n FROM jobs WHERE state IN ('pending', 'failed') AND available = 0 AND next_attempt_at IS NULL AND held = 0 AND blocked = 0",
    "jobs wait for nothing and would wait for ever",
  ],
  [
    `SELECT count(*) AS n FROM jobs WHERE env IS NOT NULL AND CASE WHEN json_valid(env) THEN json_type(env) <> 'object' OR
       EXISTS (SELECT 1 FROM json_each(env) WHERE type <> 'text') ELSE 1 END`,
    "jobs have variables that cannot be read",
  ],
  [
    `SELECT count(*) AS n FROM jobs WHERE retry_rules IS NOT NULL AND
       CASE WHEN json_valid(retry_rules) THEN json_type(retry_rules) <> 'object' ELSE 1 END`,
    "jobs have rules of retries that cannot be read",
  ],
  [
    `SELECT count(*) AS n FROM counters
     WHERE name <> 'died' AND value <> (SELECT count(*) FROM jobs WHERE state = counters.name)`,
    "counts of `status` differ from the jobs",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE available = 1 AND (held = 1 OR blocked > 0)",
    "jobs could be claimed although they are held or wait for others",
  ],
  [
    `SELECT count(*) AS n FROM signals WHERE NOT EXISTS (
       SELECT 1 FROM jobs WHERE seq = job AND jobs.run = signals.run AND state = 'processing')`,
    "signals are for runs that have ended",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE held = 1 AND state NOT IN ('pending', 'failed')",
    "jobs are held without waiting",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE (held_before = 1 OR due_before IS NOT NULL) AND state <> 'cancelled'",
    "jobs say how they come back, and are not cancelled",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT queue, name, sum(n) FROM (
         SELECT queue, state AS name, 1 AS n FROM jobs WHERE queue <> 'default'
         UNION ALL SELECT queue, name, -value FROM queue_counters
       ) GROUP BY queue, name HAVING sum(n) <> 0
     )`,
    "counts of queues differ from the jobs",
  ],
  [
    "SELECT count(*) AS n FROM jobs WHERE queue NOT IN (SELECT name FROM queues)",
    "jobs are in a queue that does not exist",
  ],
  [
    "SELECT 2 - count(*) AS n FROM queues WHERE name IN ('', 'default')",
    "queues are missing that are always there",
  ],
  [
    "SELECT count(*) AS n FROM queues WHERE concurrency < 1 OR rate < 1 OR (rate IS NULL) <> (rate_period IS NULL)",
    "queues have a limit that nothing can keep",
  ],
  [
    "SELECT count(*) AS n FROM starts WHERE queue NOT IN (SELECT name FROM queues WHERE rate IS NOT NULL)",
    "starts are counted for queues without a rate",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT tag, job, sum(n) FROM (
         SELECT tag, job, 1 AS n FROM tags
         UNION ALL SELECT DISTINCT tag.value, seq, -1 FROM jobs, json_each(jobs.tags) AS tag
           WHERE jobs.tags IS NOT NULL AND json_valid(jobs.tags)
       ) GROUP BY tag, job HAVING sum(n) <> 0
     )`,
    "tags differ from those of the jobs",
  ],
  [
    `SELECT count(*) AS n FROM (
       SELECT job, sum(n) FROM (
         SELECT seq AS job, blocked AS n FROM jobs WHERE blocked <> 0
         UNION ALL SELECT child, -1 FROM dependencies WHERE open = 1
       ) GROUP BY job HAVING sum(n) <> 0
     )`,
    "jobs wait for another number of jobs than they say",
  ],
  [
    `SELECT count(*) AS n FROM dependencies AS edge JOIN jobs AS parent ON parent.seq = edge.parent
     WHERE edge.open <> (parent.state IN ('pending', 'processing', 'failed'))`,
    "jobs wait for one that has ended, or not for one that has not",
  ],
  [
    `SELECT count(*) AS n FROM dependencies AS edge JOIN jobs AS child ON child.seq = edge.child
     WHERE edge.broken = 1 AND (edge.open = 1 OR edge.kind <> 'success' OR child.state <> 'cancelled')`,
    "jobs are said to be cancelled because of another one, and are not",
  ],
  [
    "SELECT count(*) AS n FROM dependencies WHERE parent NOT IN (SELECT seq FROM jobs) OR child NOT IN (SELECT seq FROM jobs)",
    "dependencies are of jobs that do not exist",
  ],
];

/** Every problem found, in words; empty when the database is sound. Reads all of it. */
export async function check(database: Database): Promise<string[]> {
  return await database.read(() => {
    const found = database.prepare("PRAGMA integrity_check(10)").all().map((row) =>
      String(row.integrity_check)
    );
    if (found.join() !== "ok") return found;
    const differences = schemaDifferences(database);
    if (differences.length > 0) return differences;
    const damage = damagedRows(database);
    try {
      return [...damage, ...brokenInvariants(database)];
    } catch (error) {
      // What cannot be read keeps others from being counted.
      if (damage.length > 0) return damage;
      throw error;
    }
  });
}

/** What breaks an invariant, counted. */
function brokenInvariants(database: Database): string[] {
  // It reads indexes in another way than all else, and so meets what nothing else does.
  perform(database, keptBack);
  const counts = invariants.map(([sql, meaning]): [number, string] => [
    Number(database.prepare(sql).get()!.n),
    meaning,
  ]);
  return counts.flatMap(([count, meaning]) => count === 0 ? [] : [`${count} ${meaning}`]);
}

/** The rows that cannot be read, named. */
function damagedRows(database: Database): string[] {
  const report = damageReport();
  const { look } = report;
  look(database.prepare(`SELECT ${jobColumns}, run, claim FROM jobs`).iterate(), readWholeJob);
  look(database.prepare(`SELECT ${endedRunColumns}, job FROM attempts`).iterate(), readRun);
  look(
    database.prepare(`SELECT ${processColumns} FROM processes`).iterate(),
    (row) => processFromRow(row, 0, new Map()),
  );
  look(database.prepare(`SELECT ${queueColumns} FROM queues`).iterate(), readQueue);
  look(database.prepare("SELECT key, value FROM config").iterate(), readSetting);
  return report.lines();
}

/** Where the schema is not the one that a new database gets. */
function schemaDifferences(database: Database): string[] {
  using fresh = new DatabaseSync(":memory:");
  fresh.exec(tables);
  const expected = schemaOf(fresh);
  const actual = schemaOf(database.connection);
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((name) => expected.get(name) !== actual.get(name))
    .map((name) => `the schema of ${name} is not the one that queuectl makes`);
}

/**
 * The statements that make the tables, indexes and triggers, by name; but for those that seal a queue while it is being
 * moved. The Python program's `config` may be there.
 */
function schemaOf(connection: DatabaseSync): Map<string, string> {
  const rows = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all()
    .filter(({ name }) => !String(name).startsWith("moving_"));
  return new Map(
    rows.map((
      { name, sql },
    ) => [String(name), String(sql).replaceAll(/\s+/g, " ").replaceAll(/ ?([(),]) ?/g, "$1")]),
  );
}
