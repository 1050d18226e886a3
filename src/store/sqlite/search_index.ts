/** The search index in a file; see ../search_index.ts. */

import { keysOf, partOf, partSize, partsOfKeys, type Span, spansOf, startOf } from "../key_parts.ts";
import { number, numberOrNull } from "../rows.ts";
import {
  isSigned,
  sign,
  type Signatures,
  type SignedJob,
  signedJob,
  soughtText,
  textBlocks,
} from "../search_index.ts";
import { addText, mayHold, mostSigned, tellsOf, textPieces } from "../text_signature.ts";
import type { Database, Row } from "./database.ts";
import { lastSeq } from "./queries.ts";

/** An SQL expression for the key of a signature: those of one block follow one another. */
const signatureKey = (block: string | number, part: string) => `(${block} << 40 | ${part})`;

/** Reads one by its block and its part. */
const textSignature = `SELECT signature FROM text_signatures WHERE key = ${signatureKey("?", "?")}`;

/** The part of a signature. */
const signedPart = `key & ${signatureKey(1, "0")} - 1`;

/** Holds for the signatures of the first block: each part that is signed has one. */
const isFirst = `key < ${signatureKey(1, "0")}`;

/** The keys of the jobs that can have a text, of those that are meant. Read in the transaction that uses it. */
export function spansWith(database: Database, sought: string, all: Span): Span[] {
  const { texts: [{ block, bits }, ...others], ids } = soughtText(sought);
  const text = database.prepare(textSignature);
  const id = database.prepare("SELECT signature FROM id_signatures WHERE part = ?");
  const mayHave = (part: number, row: Row | undefined) =>
    mayBeIn(row, bits) && others.every(({ block, bits }) => mayBeIn(text.get(block, part), bits)) ||
    ids !== null && isInId(id.get(part), ids);
  const [first, last] = [partOf(all.from), partOf(all.to)];
  const meant = `key BETWEEN ${signatureKey("?1", "?2")} AND ${signatureKey("?1", "?3")}`;
  const ends = ["", "DESC"].flatMap((way) =>
    database.prepare(`SELECT ${signedPart} AS part, signature FROM text_signatures WHERE ${meant}
      ORDER BY key ${way} LIMIT ${sampled}`).all(block, first, last)
  );
  if (ends.every((row) => mayHave(number(row, "part"), row))) return [all];
  const rows = database.prepare(
    `SELECT ${signedPart} AS part, signature FROM text_signatures WHERE ${meant} ORDER BY key`,
  ).iterate(block, first, last);
  const parts: number[] = [];
  let next = first;
  for (const row of rows) {
    const part = number(row, "part");
    if (mayHave(part, row)) parts.push(part);
    next = part + 1;
  }
  return spansOf(parts, startOf(next), all);
}

/** How many parts at either end are looked at first: a text that may be in all of them is rather found as they come. */
const sampled = 16;

/** Without a signature, the jobs of a part are to be read. */
const mayBeIn = (row: Row | undefined, bits: readonly number[]): boolean =>
  !(row?.signature instanceof Uint8Array) || mayHold(row.signature, bits);

/** Without one here, there are no ids that are UUIDs. */
const isInId = (row: Row | undefined, bits: readonly number[]): boolean =>
  row !== undefined && mayBeIn(row, bits);

/** Signs the next part, where there is one that no job can be added to; whether there was. */
export async function extendSearchIndex(database: Database): Promise<boolean> {
  const found = await database.read(() => {
    const part = nextPart(database);
    return part === null ? null : { part, jobs: jobsOf(database, part) };
  });
  if (found === null) return false;
  const { part, jobs } = found;
  // What takes long is done while nobody waits for the lock.
  const signatures = jobs && sign(jobs);
  await database.write(() => {
    // Meanwhile another process may have signed it, or changed a command or removed a job.
    if (nextPart(database) === part && areEqual(jobsOf(database, part), jobs)) {
      store(database, part, signatures);
    }
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

/** The jobs of a part; null where their commands are so long that they are rather read than signed. */
function jobsOf(database: Database, part: number): SignedJob[] | null {
  const row = database.prepare(
    "SELECT coalesce(sum(octet_length(command)), 0) AS length FROM jobs WHERE seq BETWEEN ? AND ?",
  ).get(...keysOf(part))!;
  if (number(row, "length") > mostSigned) return null;
  return database.prepare("SELECT id, command FROM jobs WHERE seq BETWEEN ? AND ? ORDER BY seq")
    .all(...keysOf(part)).map(signedJob);
}

function areEqual(jobs: SignedJob[] | null, others: SignedJob[] | null): boolean {
  if (jobs === null || others === null) return jobs === others;
  return jobs.length === others.length &&
    jobs.every(({ id, command }, index) => id === others[index].id && command === others[index].command);
}

function store(database: Database, part: number, signatures: Signatures | null): void {
  const insert = database.prepare(
    `INSERT INTO text_signatures (key, signature) VALUES (${signatureKey("?", "?")}, ?)`,
  );
  for (let block = 0; block < textBlocks; block++) {
    insert.run(block, part, signatures === null ? null : signatures.texts[block]);
  }
  if (!signatures?.ids) return;
  database.prepare("INSERT INTO id_signatures (part, signature) VALUES (?, ?)").run(part, signatures.ids);
}

/** The signatures of the texts of a part; null where it is not signed, or where there are none. */
function textsOf(database: Database, part: number): Uint8Array[] | null {
  const read = database.prepare(textSignature);
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
    if (texts === null || tellsOf(texts, command, textPieces)) continue;
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
  let count = 0;
  for (let part = 0; part < Number(end); part++) {
    const first = database.prepare("SELECT min(seq) AS seq FROM jobs WHERE seq >= ?").get(startOf(part))!;
    part = partOf(numberOrNull(first, "seq") ?? Infinity);
    if (part < Number(end)) count += countUnfindableOf(database, part);
  }
  return count;
}

function countUnfindableOf(database: Database, part: number): number {
  const jobs = () =>
    database.prepare("SELECT id, command FROM jobs WHERE seq BETWEEN ? AND ?").iterate(...keysOf(part));
  const texts = textsOf(database, part);
  if (texts === null) {
    const row = database.prepare(textSignature).get(0, part);
    return row?.signature === null ? 0 : jobs().toArray().length;
  }
  const ids = database.prepare("SELECT signature FROM id_signatures WHERE part = ?").get(part)?.signature;
  const signatures = { texts, ids: ids instanceof Uint8Array ? ids : null };
  return jobs().filter((row) => !isSigned(signedJob(row), signatures)).toArray().length;
}
