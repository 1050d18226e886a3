/** The table of tags, which says again what is in `jobs.tags`: to be changed with it. */

import { QueuectlError } from "../../base/errors.ts";
import { number, type Row, textsOrNull } from "../columns.ts";
import { keysOf, type Sql, type Steps } from "../sql.ts";

/** Forgets the tags of jobs, before they are removed or get others. */
export function* forgetTags(sql: Sql, jobs: readonly { seq: number }[]): Steps<void> {
  const tagged = yield* sql`
    SELECT seq, tags FROM queuectl.jobs WHERE seq ${sql.among(keysOf(jobs))} AND tags IS NOT NULL`;
  const rows = tagged.flatMap((row) => tagsOf(row).map((tag) => ({ tag, job: number(row, "seq") })));
  if (rows.length === 0) return;
  const old = sql.rows("old", { tag: "text", job: "bigint" }, rows);
  yield* sql`DELETE FROM queuectl.tags WHERE (tag, job) IN (SELECT tag, job FROM ${old})`;
}

/** The tags of a row; none where they are damaged: the job is to be removed or to get others all the same. */
function tagsOf(row: Row): string[] {
  try {
    return textsOrNull(row, "tags") ?? [];
  } catch (error) {
    if (!(error instanceof QueuectlError)) throw error;
    return [];
  }
}

/** Gives jobs these tags in the place of theirs, where some are given. */
export function* setTags(
  sql: Sql,
  jobs: readonly { seq: number }[],
  tags: readonly string[] | undefined,
): Steps<void> {
  if (tags === undefined || jobs.length === 0) return;
  yield* forgetTags(sql, jobs);
  const json = tags.length === 0 ? null : JSON.stringify(tags);
  yield* sql`UPDATE queuectl.jobs SET tags = ${json} WHERE seq ${sql.among(keysOf(jobs))}`;
  const rows = [...new Set(tags)].flatMap((tag) => jobs.map(({ seq }) => ({ tag, job: seq })));
  if (rows.length === 0) return;
  yield* sql`
    INSERT INTO queuectl.tags (tag, job)
    SELECT tag, job FROM ${sql.rows("each", { tag: "text", job: "bigint" }, rows)}`;
}
