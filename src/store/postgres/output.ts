/** What running commands have printed, kept for readers on other hosts until the ends of the runs are recorded. */

import { Buffer } from "node:buffer";
import { number, text } from "../rows.ts";
import type { NewOutputPart, OutputPart, OutputStream } from "../store.ts";
import type { Database } from "./connection/database.ts";
import { asJson } from "./values.ts";

/** Puts the parts in the place of what was kept for their positions, and drops what lies in their gaps. */
export async function keepOutput(database: Database, parts: readonly NewOutputPart[]): Promise<void> {
  const gaps = parts.flatMap(({ seq, run, stream, gap }) => gap ? [{ seq, run, stream, ...gap }] : []);
  await database.batch([
    {
      // Whoever records the end of a run waits for this one, or comes first: then nothing is kept any more.
      text: `
        WITH part AS MATERIALIZED (
          SELECT * FROM json_to_recordset($1::text::json)
            AS part (seq bigint, run integer, claim integer, stream text, position bigint, content text)
        ),
        running AS MATERIALIZED (
          SELECT part.* FROM part JOIN queuectl.jobs AS job
            ON job.seq = part.seq AND job.run = part.run AND job.claim = part.claim AND job.state = 'processing'
          FOR SHARE OF job
        )
        INSERT INTO queuectl.output (job, run, stream, position, content)
        SELECT seq, run, stream, position, decode(content, 'base64') FROM running
        ON CONFLICT (job, run, stream, position) DO UPDATE SET content = excluded.content`,
      parameters: [
        asJson(parts.map(({ content, gap: _, ...part }) => ({ ...part, content: toBase64(content) }))),
      ],
    },
    ...gaps.length === 0 ? [] : [{
      text: `
        DELETE FROM queuectl.output AS output
        USING json_to_recordset($1::text::json)
          AS gap (seq bigint, run integer, stream text, "from" bigint, "to" bigint)
        WHERE output.job = gap.seq AND output.run = gap.run AND output.stream = gap.stream
          AND output.position >= gap."from" AND output.position < gap."to"`,
      parameters: [asJson(gaps)],
    }],
  ]);
}

/** What was kept of a run behind two positions, in the order it was printed. */
export async function keptOutput(
  database: Database,
  seq: number,
  run: number,
  after: Record<OutputStream, number> = { out: 0, err: 0 },
): Promise<OutputPart[]> {
  const [rows] = await database.batch([{
    text: `SELECT stream, position, encode(content, 'base64') AS content FROM queuectl.output
      WHERE job = $1 AND run = $2
        AND position + octet_length(content) > CASE stream WHEN 'out' THEN $3::bigint ELSE $4::bigint END
      ORDER BY job, run, stream, position`,
    parameters: [seq, run, after.out, after.err],
  }], { readOnly: true });
  return rows.map((row) => ({
    stream: text(row, "stream") as OutputStream,
    position: number(row, "position"),
    content: new Uint8Array(Buffer.from(text(row, "content"), "base64")),
  }));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
