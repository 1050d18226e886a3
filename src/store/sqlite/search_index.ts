/** The search index in a file; see ../search_index.ts. */

import { partOf, partSize, partsOfKeys, type Span, spansOf, startOf } from "../key_parts.ts";
import { number, numberOrNull, text } from "../rows.ts";
import {
  createSigner,
  isSigned,
  type Signatures,
  type SignedJob,
  soughtText,
  textBlocks,
} from "../search_index.ts";
import { addText, mayHold, mostSigned, textPieces } from "../text_signature.ts";
import type { Database, Row } from "./database.ts";
import { lastSeq } from "./queries.ts";

/** An SQL expression for the key of a signature: those of one block follow one another. */
const signatureKey = (block: string | number, part: string) => `(${block} << 40 | ${part})`;

/** Holds for the signatures of the first block: each part that is signed has one. */
const isFirst = `key < ${signatureKey(1, "0")}`;

/** The keys of the jobs that can have a text. Read in the transaction that uses it. */
export function spansWith(database: Database, sought: string): Span[] {
  const { texts: [{ block, bits }, ...others], ids } = soughtText(sought);
  const text = database.prepare(
    `SELECT signature FROM text_signatures WHERE key = ${signatureKey("?", "?")}`,
  );
  const id = database.prepare("SELECT signature FROM id_signatures WHERE part = ?");
  const parts: number[] = [];
  let next = 0;
  const rows = database.prepare(`
    SELECT key & ${signatureKey(1, "0")} - 1 AS part, signature FROM text_signatures
    WHERE key >= ${signatureKey("?1", "0")} AND key < ${signatureKey("?1 + 1", "0")} ORDER BY key`).iterate(
    block,
  );
  for (const row of rows) {
    const part = number(row, "part");
    const isInText = mayBeIn(row, bits) &&
      others.every(({ block, bits }) => mayBeIn(text.get(block, part), bits));
    if (isInText || ids !== null && isInId(id.get(part), ids)) parts.push(part);
    next = part + 1;
  }
  const { last } = database.prepare("SELECT coalesce(max(seq), 0) AS last FROM jobs").get()!;
  return spansOf(parts, startOf(next), last as number);
}

/** Without a signature, the jobs of a part are to be read. */
const mayBeIn = (row: Row | undefined, bits: readonly number[]): boolean =>
  !(row?.signature instanceof Uint8Array) || mayHold(row.signature, bits);

/** Without one here, there are no ids that are UUIDs. */
const isInId = (row: Row | undefined, bits: readonly number[]): boolean =>
  row !== undefined && mayBeIn(row, bits);

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
    SELECT min(seq) AS key FROM jobs
    WHERE seq >= coalesce((SELECT max(key) + 1 FROM text_signatures WHERE ${isFirst}) * ${partSize}, 0)`)
    .get()!;
  const key = numberOrNull(row, "key");
  if (key === null) return null;
  const part = partOf(key);
  // No key is given twice: AUTOINCREMENT.
  return startOf(part + 1) <= lastSeq(database) + 1 ? part : null;
}

/** The first and the last key of a part. */
const keysOf = (part: number): [number, number] => [startOf(part), startOf(part + 1) - 1];

function signPart(database: Database, part: number): void {
  const keys = keysOf(part);
  const row = database.prepare(
    "SELECT coalesce(sum(octet_length(command)), 0) AS length FROM jobs WHERE seq BETWEEN ? AND ?",
  ).get(...keys)!;
  const store = (texts: ReadonlyArray<Uint8Array | null>) => {
    const insert = database.prepare(
      `INSERT INTO text_signatures (key, signature) VALUES (${signatureKey("?", "?")}, ?)`,
    );
    texts.forEach((signature, block) => insert.run(block, part, signature));
  };
  if (number(row, "length") > mostSigned) {
    store(Array.from({ length: textBlocks }, () => null));
    return;
  }
  const signer = createSigner();
  const jobs = database.prepare("SELECT id, command FROM jobs WHERE seq BETWEEN ? AND ?").iterate(...keys);
  for (const job of jobs) signer.add(signedJob(job));
  const { texts, ids } = signer.sign();
  store(texts);
  if (ids !== null) {
    database.prepare("INSERT INTO id_signatures (part, signature) VALUES (?, ?)").run(part, ids);
  }
}

const signedJob = (row: Row): SignedJob => ({ id: text(row, "id"), command: text(row, "command") });

/** The signatures of the texts of a part; null where it is not signed, or where there are none. */
function textsOf(database: Database, part: number): Uint8Array[] | null {
  const read = database.prepare(
    `SELECT signature FROM text_signatures WHERE key = ${signatureKey("?", "?")}`,
  );
  const texts: Uint8Array[] = [];
  for (let block = 0; block < textBlocks; block++) {
    const signature = read.get(block, part)?.signature;
    if (!(signature instanceof Uint8Array)) return null;
    texts.push(signature);
  }
  return texts;
}

/** Notes that jobs have got another command; in the transaction in which they did. */
export function noteCommand(database: Database, jobs: readonly { seq: number }[], command: string): void {
  const write = database.prepare(
    `UPDATE text_signatures SET signature = ? WHERE key = ${signatureKey("?", "?")}`,
  );
  for (const part of partsOfKeys(jobs.map(({ seq }) => seq))) {
    const texts = textsOf(database, part);
    if (texts === null) continue;
    addText(texts, command, textPieces);
    texts.forEach((signature, block) => write.run(signature, block, part));
  }
}

/** Forgets the parts of removed jobs that have no other ones. */
export function forgetEmptyParts(database: Database, jobs: readonly { seq: number }[]): void {
  const isThere = database.prepare("SELECT 1 FROM jobs WHERE seq BETWEEN ? AND ? LIMIT 1");
  const forgetText = database.prepare(`DELETE FROM text_signatures WHERE key = ${signatureKey("?", "?")}`);
  const forgetIds = database.prepare("DELETE FROM id_signatures WHERE part = ?");
  for (const part of partsOfKeys(jobs.map(({ seq }) => seq))) {
    if (isThere.get(...keysOf(part)) !== undefined) continue;
    for (let block = 0; block < textBlocks; block++) forgetText.run(block, part);
    forgetIds.run(part);
  }
}

/** Forgets all of it, where jobs come whose keys are older. */
export function forgetSearchIndex(database: Database): void {
  database.connection.exec("DELETE FROM text_signatures; DELETE FROM id_signatures");
}

/** How many jobs would not be found by their texts. */
export function countUnfindable(database: Database): number {
  const { end } = database.prepare(
    `SELECT coalesce(max(key) + 1, 0) AS end FROM text_signatures WHERE ${isFirst}`,
  ).get()!;
  const isThere = database.prepare(
    `SELECT signature FROM text_signatures WHERE key = ${signatureKey("0", "?")}`,
  );
  const idsOf = database.prepare("SELECT signature FROM id_signatures WHERE part = ?");
  let count = 0;
  let [part, signatures, isRead]: [number, Signatures | null, boolean] = [-1, null, false];
  const jobs = database.prepare("SELECT seq, id, command FROM jobs WHERE seq < ? ORDER BY seq");
  for (const row of jobs.iterate(startOf(end as number))) {
    const own = partOf(number(row, "seq"));
    if (own !== part) {
      part = own;
      const texts = textsOf(database, part);
      isRead = isThere.get(part)?.signature === null;
      signatures = texts && { texts, ids: (idsOf.get(part)?.signature ?? null) as Uint8Array | null };
    }
    if (!isRead && (signatures === null || !isSigned(signedJob(row), signatures))) count++;
  }
  return count;
}
