/** The search index in a database; see ../search_index.ts. Managers extend it: index_extender.ts. */

import { Buffer } from "node:buffer";
import { keysOf, partOf, partSize, partsOfKeys, type Span, spansOf, startOf } from "../key_parts.ts";
import { number, numberOrNull, text, textOrNull } from "../rows.ts";
import { isSigned, type SignedJob, signedJob, soughtText, textBlocks } from "../search_index.ts";
import { addText, type Sought, tellsOf, textPieces } from "../text_signature.ts";
import type { Database, Run } from "./database.ts";
import { jobsTable } from "./move_lock.ts";
import { createParameters } from "./selection.ts";
import { asArray, asJson } from "./storable.ts";

/** The keys of the jobs that can have a text, of those that are meant. */
export async function spansWith(run: Run, sought: string, all: Span): Promise<Span[]> {
  const { texts: [first, ...others], ids } = soughtText(sought);
  const parameters = createParameters();
  // Without a signature, the jobs of a part are to be read.
  const mayHold = (table: string, bits: readonly number[]) => {
    const isSet = bits.map((bit) =>
      `get_bit(${table}.signature, ${parameters.add(bit)}::integer & 8 * length(${table}.signature) - 1) = 1`
    );
    return `(${table}.signature IS NULL OR ${isSet.join(" AND ") || "true"})`;
  };
  const isInOther = ({ block, bits }: Sought) =>
    `AND EXISTS (SELECT 1 FROM queuectl.text_signatures AS other
       WHERE other.block = ${block} AND other.part = text.part AND ${mayHold("other", bits)})`;
  const isInId = ids === null
    ? ""
    : `OR EXISTS (SELECT 1 FROM queuectl.id_signatures AS id WHERE id.part = text.part AND ${
      mayHold("id", ids)
    })`;
  const isMeant = `part BETWEEN ${parameters.add(partOf(all.from))}::bigint AND ${
    parameters.add(partOf(all.to))
  }::bigint`;
  const [row] = await run(
    `SELECT (SELECT max(part) FROM queuectl.part_ages WHERE ${isMeant}) AS signed, (
         SELECT coalesce(string_agg(part::text, ',' ORDER BY part), '') FROM queuectl.text_signatures AS text
         WHERE block = ${first.block} AND ${isMeant}
           AND (${mayHold("text", first.bits)} ${others.map(isInOther).join(" ")} ${isInId})
       ) AS parts`,
    parameters.values,
  );
  const signed = numberOrNull(row, "signed") ?? partOf(all.from) - 1;
  return spansOf(JSON.parse(`[${text(row, "parts")}]`), startOf(signed + 1), all);
}

/**
 * From which key on, beginning with this one, jobs may have come at a time or later, by an SQL expression for that: whole
 * parts are told apart.
 */
export async function firstKeyOfAge(
  run: Run,
  first: number,
  time: string,
  parameters: readonly unknown[],
): Promise<number> {
  const [row] = await run(
    `SELECT coalesce(min(part) FILTER (WHERE newest >= ${time}), max(part) + 1) AS part FROM queuectl.part_ages
     WHERE part >= $${parameters.length + 1}::bigint`,
    [...parameters, partOf(first)],
  );
  const part = numberOrNull(row, "part");
  return part === null ? first : Math.max(first, startOf(part));
}

/** Held by whoever signs, and shared by those that change what has perhaps been signed. "quec" in ASCII, and the table. */
export const lockKey = "1903519075, $1::regclass::oid::integer";

export async function jobsOf(run: Run, part: number): Promise<SignedJob[]> {
  const rows = await run(
    "SELECT id, command FROM queuectl.jobs WHERE seq BETWEEN $1::bigint AND $2::bigint",
    keysOf(part),
  );
  return rows.map(signedJob);
}

export const toBase64 = (signature: Uint8Array): string => Buffer.from(signature).toString("base64");
const fromBase64 = (encoded: string): Uint8Array => new Uint8Array(Buffer.from(encoded, "base64"));

/** Notes that jobs have got another command; in the transaction in which they did. */
export async function noteCommand(
  database: Database,
  run: Run,
  jobs: readonly { seq: number }[],
  command: string,
): Promise<void> {
  await run(`SELECT pg_advisory_xact_lock_shared(${lockKey})`, [jobsTable(database)]);
  for (const part of partsOfKeys(jobs.map(({ seq }) => seq))) {
    const texts = await textsOf(run, part, "FOR UPDATE");
    if (texts === null || tellsOf(texts, command, textPieces)) continue;
    addText(texts, command, textPieces);
    await run(
      `UPDATE queuectl.text_signatures AS text SET signature = decode(encoded, 'base64')
       FROM json_array_elements_text($2::text::json) WITH ORDINALITY AS changed (encoded, number)
       WHERE part = $1::bigint AND block = number - 1`,
      [part, asJson(texts.map(toBase64))],
    );
  }
}

/** The signatures of the texts of a part; null where it is not signed, or where there are none. */
async function textsOf(run: Run, part: number, lock = ""): Promise<Uint8Array[] | null> {
  const blocks = Array.from({ length: textBlocks }, (_, block) => block);
  const rows = await run(
    `SELECT encode(signature, 'base64') AS signature FROM queuectl.text_signatures
     WHERE block IN (${blocks.join(", ")}) AND part = $1::bigint ORDER BY block ${lock}`,
    [part],
  );
  const texts = rows.map((row) => textOrNull(row, "signature")).filter((encoded) => encoded !== null);
  return texts.length < textBlocks ? null : texts.map(fromBase64);
}

const tables = ["text_signatures", "id_signatures", "part_ages"].map((table) => `queuectl.${table}`);

/** Forgets the parts of removed jobs that have no other ones. */
export async function forgetEmptyParts(run: Run, jobs: readonly { seq: number }[]): Promise<void> {
  for (const table of tables) {
    await run(
      `DELETE FROM ${table} WHERE part = ANY($1::bigint[]) AND NOT EXISTS (
         SELECT 1 FROM queuectl.jobs WHERE seq BETWEEN part * ${partSize} AND (part + 1) * ${partSize} - 1)`,
      [asArray(partsOfKeys(jobs.map(({ seq }) => seq)))],
    );
  }
}

/** Forgets all of it, where jobs come whose keys are older. */
export async function forgetSearchIndex(database: Database, run: Run): Promise<void> {
  await run(`SELECT pg_advisory_xact_lock_shared(${lockKey})`, [jobsTable(database)]);
  for (const table of tables) await run(`DELETE FROM ${table}`);
}

/** How many jobs would not be found by their texts. */
export async function countUnfindable(database: Database): Promise<number> {
  const effort = { readOnly: true, pace: "slow" } as const;
  const [[{ unsigned }]] = await database.batch([{
    text: `SELECT count(*) AS unsigned FROM queuectl.jobs
      WHERE seq < (SELECT (max(part) + 1) * ${partSize} FROM queuectl.part_ages)
        AND NOT EXISTS (
          SELECT 1 FROM queuectl.text_signatures JOIN queuectl.part_ages USING (part)
          WHERE block = 0 AND part = seq / ${partSize})`,
  }], effort);
  let count = Number(unsigned);
  for (let last = -1;;) {
    const found = await database.transaction(async (run) => {
      const [row] = await run(
        `SELECT part, encode(id.signature, 'base64') AS ids
         FROM queuectl.text_signatures AS text LEFT JOIN queuectl.id_signatures AS id USING (part)
         WHERE block = 0 AND part > $1::bigint AND text.signature IS NOT NULL ORDER BY part LIMIT 1`,
        [last],
      );
      if (row === undefined) return null;
      const part = number(row, "part");
      const [texts, ids] = [await textsOf(run, part), textOrNull(row, "ids")];
      const jobs = await jobsOf(run, part);
      const signatures = texts && { texts, ids: ids === null ? null : fromBase64(ids) };
      return {
        part,
        missing: jobs.filter((job) => signatures === null || !isSigned(job, signatures)).length,
      };
    }, effort);
    if (found === null) return count;
    last = found.part;
    count += found.missing;
  }
}
