/** The search index in a file; see ../search_index.ts. */

import { partOf, partSize, partsOfKeys, type Span, spansOf, startOf } from "../key_parts.ts";
import { number, numberOrNull, text } from "../rows.ts";
import { createSigner, isSigned, type Signatures, type SignedJob, soughtBits } from "../search_index.ts";
import { addText, mayHold, mostSigned, textPieces } from "../text_signature.ts";
import type { Database, Row } from "./database.ts";
import { lastSeq } from "./queries.ts";

/** The keys of the jobs that can have a text. Read in the transaction that uses it. */
export function spansWith(database: Database, sought: string): Span[] {
  const { texts, ids } = soughtBits(sought);
  const parts: number[] = [];
  let next = 0;
  const rows = database.prepare(
    ids === null
      ? "SELECT part, signature FROM text_signatures ORDER BY part"
      : `SELECT part, text.signature, id.signature AS ids
         FROM text_signatures AS text LEFT JOIN id_signatures AS id USING (part) ORDER BY part`,
  ).iterate();
  for (const row of rows) {
    const part = number(row, "part");
    const own = signaturesIn(row);
    if (
      own === null || mayHold(own.texts, texts) || ids !== null && own.ids !== null && mayHold(own.ids, ids)
    ) {
      parts.push(part);
    }
    next = part + 1;
  }
  const { last } = database.prepare("SELECT coalesce(max(seq), 0) AS last FROM jobs").get()!;
  return spansOf(parts, startOf(next), last as number);
}

/** Null where the jobs of a part are rather read. */
function signaturesIn({ signature, ids = null }: Row): Signatures | null {
  return signature === null ? null : { texts: signature as Uint8Array, ids: ids as Uint8Array | null };
}

/** Signs the next part, where there is one that no job can be added to; whether there was. */
export async function extendSearchIndex(database: Database): Promise<boolean> {
  const part = await database.read(() => nextPart(database));
  if (part === null) return false;
  await database.write(() => {
    // Meanwhile another process may have signed it.
    if (nextPart(database) === part) signPart(database, part);
  });
  return true;
}

/** The first part with jobs behind those that are signed; null where none has got all of its keys. */
function nextPart(database: Database): number | null {
  const row = database.prepare(`
    SELECT min(seq) AS key FROM jobs WHERE seq >= coalesce((SELECT max(part) + 1 FROM text_signatures) * ?, 0)`)
    .get(partSize)!;
  const key = numberOrNull(row, "key");
  if (key === null) return null;
  const part = partOf(key);
  // No key is given twice: AUTOINCREMENT.
  return startOf(part + 1) <= lastSeq(database) + 1 ? part : null;
}

function signPart(database: Database, part: number): void {
  const keys = [startOf(part), startOf(part + 1) - 1];
  const row = database.prepare(
    "SELECT coalesce(sum(octet_length(command)), 0) AS length FROM jobs WHERE seq BETWEEN ? AND ?",
  ).get(...keys)!;
  const store = (table: string, signature: Uint8Array | null) =>
    database.prepare(`INSERT INTO ${table} (part, signature) VALUES (?, ?)`).run(part, signature);
  if (number(row, "length") > mostSigned) {
    store("text_signatures", null);
    return;
  }
  const signer = createSigner();
  const jobs = database.prepare("SELECT id, command FROM jobs WHERE seq BETWEEN ? AND ?").iterate(...keys);
  for (const job of jobs) signer.add(signedJob(job));
  const { texts, ids } = signer.sign();
  store("text_signatures", texts);
  if (ids !== null) store("id_signatures", ids);
}

const signedJob = (row: Row): SignedJob => ({ id: text(row, "id"), command: text(row, "command") });

/** Notes that jobs have got another command; in the transaction in which they did. */
export function noteCommand(database: Database, jobs: readonly { seq: number }[], command: string): void {
  const read = database.prepare("SELECT signature FROM text_signatures WHERE part = ?");
  const write = database.prepare("UPDATE text_signatures SET signature = ? WHERE part = ?");
  for (const part of partsOfKeys(jobs.map(({ seq }) => seq))) {
    const signature = read.get(part)?.signature as Uint8Array | null | undefined;
    if (!signature) continue;
    addText(signature, command, textPieces);
    write.run(signature, part);
  }
}

/** Forgets the parts of removed jobs that have no other ones. */
export function forgetEmptyParts(database: Database, jobs: readonly { seq: number }[]): void {
  const parts = JSON.stringify(partsOfKeys(jobs.map(({ seq }) => seq)));
  for (const table of ["text_signatures", "id_signatures"]) {
    database.prepare(`
      DELETE FROM ${table} WHERE part IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE seq BETWEEN part * ?2 AND (part + 1) * ?2 - 1)`)
      .run(parts, partSize);
  }
}

/** Forgets all of it, where jobs come whose keys are older. */
export function forgetSearchIndex(database: Database): void {
  database.connection.exec("DELETE FROM text_signatures; DELETE FROM id_signatures");
}

/** How many jobs would not be found by their texts. */
export function countUnfindable(database: Database): number {
  const { end } = database.prepare("SELECT coalesce(max(part) + 1, 0) AS end FROM text_signatures").get()!;
  const rows = database.prepare(`
    SELECT seq, jobs.id, command, part, text.signature, id.signature AS ids FROM jobs
      LEFT JOIN text_signatures AS text ON text.part = seq / ${partSize} LEFT JOIN id_signatures AS id USING (part)
    WHERE seq < ?`).iterate(startOf(end as number));
  let count = 0;
  for (const row of rows) {
    const signatures = signaturesIn(row);
    const isFound = row.part !== null && (signatures === null || isSigned(signedJob(row), signatures));
    if (!isFound) count++;
  }
  return count;
}
