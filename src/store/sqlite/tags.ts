/** The table of tags, which says again what is in `jobs.tags`: to be changed with it. */

import type { Database } from "./database.ts";
import { change } from "./selection.ts";

/** Forgets the tags of jobs, before they are removed or get others. To be called in a transaction. */
export function forgetTags(database: Database, jobs: readonly { seq: number }[]): void {
  change(
    database,
    `DELETE FROM tags WHERE (tag, job) IN (
       SELECT tag.value, seq FROM jobs, json_each(CASE WHEN json_valid(jobs.tags) THEN jobs.tags ELSE '[]' END) AS tag
       WHERE seq IN (:keys) AND jobs.tags IS NOT NULL)`,
    jobs,
  );
}

/** Gives jobs these tags in the place of theirs, where some are given. To be called in a transaction. */
export function setTags(
  database: Database,
  jobs: readonly { seq: number }[],
  tags: readonly string[] | undefined,
): void {
  if (tags === undefined) return;
  forgetTags(database, jobs);
  const json = JSON.stringify(tags);
  change(database, "UPDATE jobs SET tags = nullif(:tags, '[]') WHERE seq IN (:keys)", jobs, { tags: json });
  change(
    database,
    "INSERT INTO tags (tag, job) SELECT DISTINCT tag.value, job.value FROM json_each(:tags) AS tag, (:keys) AS job",
    jobs,
    { tags: json },
  );
}
