/** Extends the search index in a database, by one process at a time. */

import { keysOf, partOf, partSize, startOf } from "../key_parts.ts";
import { number, numberOrNull, text } from "../rows.ts";
import { sign, textBlocks } from "../search_index.ts";
import { mostSigned } from "../text_signature.ts";
import type { Database, Run } from "./database.ts";
import { jobsTable, lastSeq } from "./move_lock.ts";
import { jobsOf, lockKey, toBase64 } from "./search_index.ts";
import { asJson } from "./storable.ts";

/** Milliseconds for a lock: nothing of this is urgent, and others wait for the session. */
const lockTimeout = 100;

/** Signs parts, one with each call; whether there was one that no job can be added to. */
export function createExtender(database: Database): () => Promise<boolean> {
  const closing = createClosing(database);
  return () =>
    database.transaction(async (run) => {
      await run(`SET LOCAL lock_timeout = ${lockTimeout}`);
      const [{ mine, session }] = await run(
        `SELECT pg_try_advisory_xact_lock(${lockKey}) AS mine, pg_backend_pid() || ' ' || pg_postmaster_start_time() AS session`,
        [jobsTable(database)],
      );
      if (mine !== true) return false;
      closing.use(String(session), await lastSeq(database, run));
      const isClosed = (part: number) => startOf(part + 1) <= closing.key + 1;
      let part = await nextPart(run);
      if (part !== null && !isClosed(part)) {
        await closing.look(run);
        // Asked for again: what was added before all of them had ended is seen only now.
        part = await nextPart(run);
      }
      if (part === null || !isClosed(part)) return false;
      await signPart(run, part);
      return true;
    }, { once: true });
}

/** Up to which key no job can be added any more. */
interface Closing {
  readonly key: number;
  /**
   * Forgets what was found in another session, or when the last key was a later one: in another server, or after a crash,
   * keys may be given out once more.
   */
  use(session: string, last: number): void;
  /** Finds out more. */
  look(run: Run): Promise<void>;
}

function createClosing(database: Database): Closing {
  let key = 0;
  let own = "";
  // `last` is the key that was given out last when these transactions were adding jobs, perhaps with keys before it.
  let awaited: { last: number; transactions: Set<string> } | undefined;
  return {
    get key() {
      return key;
    },
    use(session, last) {
      if (session === own && key <= last && (awaited?.last ?? 0) <= last) return;
      own = session;
      key = 0;
      awaited = undefined;
    },
    async look(run) {
      if (awaited && (await writers(database, run)).isDisjointFrom(awaited.transactions)) {
        key = awaited.last;
        awaited = undefined;
      }
      // In this order: whoever gets a key has the lock before, and until it is seen what became of it.
      awaited ??= { last: await lastSeq(database, run), transactions: await writers(database, run) };
      if (awaited.transactions.size > 0) return;
      key = awaited.last;
      awaited = undefined;
    },
  };
}

/** The transactions that may be adding jobs. */
async function writers(database: Database, run: Run): Promise<Set<string>> {
  const rows = await run(
    `SELECT virtualtransaction AS writer FROM pg_catalog.pg_locks
     WHERE locktype = 'relation' AND relation = $1::regclass AND mode = 'RowExclusiveLock' AND granted
       AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`,
    [jobsTable(database)],
  );
  return new Set(rows.map((row) => text(row, "writer")));
}

/** The first part with jobs behind those that are signed; null where there is none. */
async function nextPart(run: Run): Promise<number | null> {
  const [row] = await run(
    `SELECT min(seq) AS key FROM queuectl.jobs
     WHERE seq >= coalesce((SELECT max(part) + 1 FROM queuectl.part_ages) * ${partSize}, 0)`,
  );
  const key = numberOrNull(row, "key");
  return key === null ? null : partOf(key);
}

async function signPart(run: Run, part: number): Promise<void> {
  const [row] = await run(
    `SELECT coalesce(sum(octet_length(command)), 0)::bigint AS length, max(created_at) AS newest FROM queuectl.jobs
     WHERE seq BETWEEN $1::bigint AND $2::bigint`,
    keysOf(part),
  );
  const newest = numberOrNull(row, "newest");
  // All of them were removed meanwhile.
  if (newest === null) return;
  await run("INSERT INTO queuectl.part_ages (part, newest) VALUES ($1::bigint, $2::bigint)", [part, newest]);
  const signatures = number(row, "length") > mostSigned ? null : sign(await jobsOf(run, part));
  await run(
    `INSERT INTO queuectl.text_signatures (block, part, signature)
     SELECT block - 1, $1::bigint, decode(encoded, 'base64')
     FROM json_array_elements_text($2::text::json) WITH ORDINALITY AS text (encoded, block)`,
    [part, asJson(signatures?.texts.map(toBase64) ?? Array.from({ length: textBlocks }, () => null))],
  );
  if (!signatures?.ids) return;
  await run(
    "INSERT INTO queuectl.id_signatures (part, signature) VALUES ($1::bigint, decode($2, 'base64'))",
    [part, toBase64(signatures.ids)],
  );
}
