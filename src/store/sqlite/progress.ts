/** How far jobs are: for those who wait for them, follow them, or want to know all about one. */

import type { Attempt } from "../../job/job.ts";
import { noJob } from "../refusals.ts";
import {
  attemptColumns,
  attemptFromRow,
  endedRunColumns,
  endedRunFromRow,
  jobColumns,
  jobFromRow,
  number,
  numberOrNull,
  parentFromRow,
  progressColumns,
  progressFromRow,
  type Row,
  text,
  textOrNull,
} from "../rows.ts";
import { momentOrNull } from "../columns.ts";
import { readable } from "../damage.ts";
import { aheadLimit, type JobDetail, type JobProgress, namedChildren, type Upcoming } from "../progress.ts";
import type { Database } from "./database.ts";
import { firstClaimable } from "./claimable.ts";
import { requireJob } from "./queries.ts";
import { attemptKey, attemptsOf } from "./attempt_key.ts";
import { claimable } from "./schema.ts";

/** How far the jobs of the ids are. */
export async function find(database: Database, ids: readonly string[]): Promise<JobProgress[]> {
  return await database.read(() => {
    const now = database.now();
    return ids.map((id) => progressFromRow(rowOf(database, id), now));
  });
}

/** How far the jobs with the keys are, as far as they are there. */
export async function progress(database: Database, seqs: readonly number[]): Promise<JobProgress[]> {
  return await database.read(() => {
    const now = database.now();
    const rows = database.prepare(
      `SELECT ${progressColumns} FROM jobs WHERE seq IN (SELECT value FROM json_each(?))`,
    )
      .all(JSON.stringify(seqs));
    return readable(rows, (row) => progressFromRow(row, now), database.tellDamage);
  });
}

/** What runs, and what may run next. */
export async function upcoming(database: Database, limit: number): Promise<Upcoming> {
  return await database.read(() => {
    const now = database.now();
    const due = database.prepare(
      "SELECT seq, run FROM jobs WHERE next_attempt_at IS NOT NULL ORDER BY next_attempt_at LIMIT ? + 0",
    ).all(limit);
    const next = [...firstClaimable(database, limit, "seq, priority, run"), ...due];
    return {
      last: number(database.prepare("SELECT coalesce(max(seq), 0) AS last FROM jobs").get()!, "last"),
      // By an expression: SQLite would rather read all jobs in their order than sort a few.
      running: readable(
        database.prepare(`SELECT ${progressColumns} FROM jobs WHERE worker IS NOT NULL ORDER BY +seq`).all(),
        (row) => progressFromRow(row, now),
        database.tellDamage,
      ),
      next: readable(
        next,
        (row) => ({ seq: number(row, "seq"), run: number(row, "run") }),
        database.tellDamage,
      ),
    };
  });
}

/** The newer jobs that have run. */
export async function ranAfter(database: Database, seq: number): Promise<JobProgress[]> {
  return await database.read(() => {
    const now = database.now();
    const rows = database.prepare(
      `SELECT ${progressColumns} FROM jobs WHERE seq > ? AND run > 0 ORDER BY seq`,
    )
      .all(seq);
    return readable(rows, (row) => progressFromRow(row, now), database.tellDamage);
  });
}

/** Everything about a job. */
export async function detail(database: Database, id: string): Promise<JobDetail> {
  return await database.read(() => {
    const row = rowOf(database, id);
    const seq = number(row, "seq");
    const now = database.now();
    const runs = database.prepare(
      `SELECT ${endedRunColumns} FROM attempts WHERE ${attemptsOf("?1")} ORDER BY key`,
    )
      .all(seq);
    const startedAt = momentOrNull(row, "started_at");
    const worker = database.prepare("SELECT host, pid FROM processes WHERE id = ?").get(
      numberOrNull(row, "worker"),
    );
    return {
      ...progressFromRow(row, now),
      job: jobFromRow(row),
      runs: readable(runs, endedRunFromRow, database.tellDamage),
      running: startedAt === null ? null : {
        host: worker ? textOrNull(worker, "host") : null,
        pid: worker ? numberOrNull(worker, "pid") : null,
        startedAt,
        duration: Math.max(0, now - startedAt),
      },
      ahead: ahead(database, row),
      ...relatives(database, seq),
    };
  });
}

/** What a job waits for, and what waits for it. */
function relatives(database: Database, seq: number): Pick<JobDetail, "parents" | "children"> {
  const parents = database.prepare(`
    SELECT parent.id, parent.state, parent.queue, parent.held, edge.kind FROM dependencies AS edge
    CROSS JOIN jobs AS parent ON parent.seq = edge.parent WHERE edge.child = ? ORDER BY edge.open DESC, edge.parent`)
    .all(seq);
  const children = database.prepare(`
    SELECT child.id FROM dependencies AS edge CROSS JOIN jobs AS child ON child.seq = edge.child
    WHERE edge.parent = ? AND edge.open = 1 AND child.state IN ('pending', 'failed')
     ORDER BY edge.child LIMIT ${aheadLimit}`)
    .all(seq);
  return {
    parents: readable(parents, parentFromRow, database.tellDamage),
    children: {
      ids: children.slice(0, namedChildren).map((row) => text(row, "id")),
      count: children.length,
    },
  };
}

/** How many jobs of its queue can be claimed before this one. */
function ahead(database: Database, row: Row): number | null {
  if (row.available !== 1) return null;
  // Two ranges of the index; as one condition it would read all that come after this one too.
  const { count } = database.prepare(`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM jobs WHERE ${claimable} AND queue = ?3 AND priority > ?1
      UNION ALL SELECT 1 FROM jobs WHERE ${claimable} AND queue = ?3 AND priority = ?1 AND seq < ?2
      LIMIT ${aheadLimit}
    )`).get(number(row, "priority"), number(row, "seq"), text(row, "queue"))!;
  return Number(count);
}

/** The first ended run after another. */
export async function runAfter(database: Database, seq: number, run: number): Promise<Attempt | null> {
  return await database.read(() => {
    const row = database.prepare(`
      SELECT ${attemptColumns} FROM attempts WHERE ${attemptsOf("?1")} AND key > ${attemptKey("?1", "?2")}
      ORDER BY key LIMIT 1`).get(seq, run);
    return row === undefined ? null : attemptFromRow(row);
  });
}

function rowOf(database: Database, id: string): Row {
  const job = requireJob(database, id, noJob);
  return database.prepare(`
    SELECT seq, run, cancel_requested, stopped_run, available, worker, started_at, ${jobColumns} FROM jobs WHERE seq = ?`)
    .get(job.seq)!;
}
