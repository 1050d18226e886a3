/** The table of tags, which says again what is in `jobs.tags`: to be changed with it. */

import type { Run } from "./connection/database.ts";
import { asArray, asJson } from "./storable.ts";

/** Forgets the tags of jobs that `gone`, an SQL statement, removes or changes and returns with `seq` and their old `tags`. */
export const forgettingTags = (gone: string): string => `
  WITH gone AS (${gone})
  DELETE FROM queuectl.tags USING gone CROSS JOIN json_array_elements_text(gone.tags::json) AS old (tag)
  WHERE gone.tags IS NOT NULL AND tags.tag = old.tag COLLATE "C" AND tags.job = gone.seq`;

/** Gives jobs these tags in the place of theirs, where some are given. To be called in a transaction, with the jobs locked. */
export async function setTags(
  run: Run,
  jobs: readonly { seq: number }[],
  tags: readonly string[] | undefined,
): Promise<void> {
  if (tags === undefined || jobs.length === 0) return;
  const keys = asArray(jobs.map(({ seq }) => seq));
  await run(forgettingTags("SELECT seq, tags FROM queuectl.jobs WHERE seq = ANY($1::bigint[])"), [keys]);
  await run("UPDATE queuectl.jobs SET tags = nullif($2::text, '[]') WHERE seq = ANY($1::bigint[])", [
    keys,
    asJson(tags),
  ]);
  await run(
    `INSERT INTO queuectl.tags (tag, job)
     SELECT DISTINCT tag, seq FROM json_array_elements_text($2::text::json) AS tag
     CROSS JOIN pg_catalog.unnest($1::bigint[]) AS seq`,
    [keys, asJson(tags)],
  );
}
