/** SQLite without a queue on the same tables: the part of a figure that the store could not do without. */

import { connect } from "../../src/store/sqlite/database.ts";
import { attemptKey } from "../../src/store/sqlite/attempt_key.ts";
import { benchQueue, timed } from "./queue.ts";

/**
 * Jobs a second that are claimed and finished in batches by as few statements as change the same rows: nothing is looked
 * for, read, or given to anybody.
 */
export async function bareClaimAndFinish(jobs: number, batch: number): Promise<number> {
  await using queue = await benchQueue(jobs);
  const database = connect(queue.database, false, Date.now);
  const ofBatch = "WHERE seq > ?1 AND seq <= ?1 + ?2";
  const finish = [
    `UPDATE jobs SET state = 'completed', worker = NULL, updated_at = ?3 ${ofBatch}`,
    `INSERT INTO attempts (key, number, worker, started_at, ended_at, outcome, exit_code)
     SELECT ${
      attemptKey("seq", "run")
    }, attempts, 'Worker-1', started_at, ?3, 'exited', 0 FROM jobs ${ofBatch}`,
  ];
  const claim = `
    UPDATE jobs SET state = 'processing', available = 0, attempts = 1, claim = 1, run = 1, worker = 1,
      started_at = ?3, updated_at = ?3 ${ofBatch}`;
  const count = "UPDATE counters SET value = value + ? WHERE name = ?";
  const run = (statement: string, ...parameters: Array<number | string>) =>
    database.prepare(statement).run(...parameters);
  const time = await timed(async () => {
    for (let done = 0; done <= jobs; done += batch) {
      await database.write(() => {
        const now = database.now();
        if (done > 0) {
          for (const statement of finish) run(statement, done - batch, batch, now);
          run(count, batch, "completed");
        }
        if (done < jobs) run(claim, done, batch, now);
        run(count, -batch, "pending");
      });
    }
  });
  database.close();
  return jobs / time * 1000;
}

/** Milliseconds in which lines of JSON become jobs by one statement each, with nothing checked but that they are JSON. */
export async function bareInsert(lines: readonly string[]): Promise<number> {
  await using queue = await benchQueue();
  const database = connect(queue.database, true, Date.now);
  const insert = `
    INSERT INTO jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at)
    VALUES (?1, ?2, 'pending', 1, 0, 3, 0, ?3, ?3)`;
  const time = await timed(() =>
    database.write(() => {
      const statement = database.prepare(insert);
      for (const [number, line] of lines.entries()) {
        statement.run(`${number}-${lines.length}`.padStart(36, "0"), JSON.parse(line).command, Date.now());
      }
    })
  );
  database.close();
  return time;
}
