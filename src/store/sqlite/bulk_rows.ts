/** Rows of the temporary table in which jobs are collected, many by one statement: calls take longer than rows. */

import type { DatabaseSync } from "node:sqlite";
import type { NewJob } from "../../job/job.ts";
import { extraColumns, extrasOf, noExtras } from "../optional_fields.ts";
import { extraValues, newColumns, newValues } from "./new_job_row.ts";

/** Rows of one statement; with more of them it does not get quicker. */
const most = 32;

/**
 * Begins to collect in `temp.intake`. What it gives adds jobs behind the first `count`, and tells how many: fewer where the
 * next one has an id that is there.
 */
export function openCollector(
  connection: DatabaseSync,
): (jobs: readonly NewJob[], count: number) => number {
  const insertion = (columns: string, rows: number) => {
    const places = `(${columns.replaceAll(/\w+/g, "?")})`;
    return connection.prepare(`
      INSERT INTO temp.intake (${columns}) VALUES ${Array(rows).fill(places).join(", ")}
      ON CONFLICT (id) DO NOTHING`);
  };
  // Few jobs have more, and every value takes its time.
  const insertPlain = insertion(newColumns, 1);
  const insertWhole = insertion(`${newColumns}, delay, at, ${extraColumns}, on_duplicate`, 1);
  const insertMany = insertion(newColumns, most);
  const removeBehind = connection.prepare("DELETE FROM temp.intake WHERE number > ?");

  const addMany = (jobs: readonly NewJob[], count: number): boolean => {
    if (insertMany.run(...jobs.flatMap(newValues)).changes === jobs.length) return true;
    removeBehind.run(count);
    return false;
  };
  const addOne = (job: NewJob): boolean => {
    const { changes } = isPlain(job) ? insertPlain.run(...newValues(job)) : insertWhole.run(
      ...newValues(job),
      job.delay ?? null,
      job.at ?? null,
      ...extraValues(extrasOf(job) ?? noExtras),
      job.onDuplicate ?? null,
    );
    return changes === 1;
  };

  return (jobs, count) => {
    let added = 0;
    while (added < jobs.length) {
      const next = jobs.slice(added, added + most);
      if (next.length === most && next.every(isPlain) && addMany(next, count + added)) {
        added += most;
        continue;
      }
      for (const job of next) {
        if (!addOne(job)) return added;
        added++;
      }
    }
    return added;
  };
}

const isPlain = (job: NewJob): boolean =>
  job.delay === undefined && job.at === undefined && extrasOf(job) === undefined;
