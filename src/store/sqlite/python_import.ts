/**
 * Takes over a database that the Python program left behind, in the transaction that makes the new schema. A copy is
 * made before, under a name of its own, and gets its final name only when the take-over is about to be committed.
 */

import { basename, dirname } from "node:path";
import { backup } from "node:sqlite";
import { QueuectlError } from "../../base/errors.ts";
import { removeIfThere } from "../../base/files.ts";
import { number, type Row, text, textOrNull } from "../columns.ts";
import { readable } from "../damage.ts";
import { jobState } from "../rows.ts";
import { openTally } from "./counters.ts";
import { type Database, databaseError } from "./database.ts";
import { attemptKey } from "./attempt_key.ts";
import { isPythonDatabase } from "./schema_version.ts";

/** A copy of the database as it was before it is changed. */
export interface PythonBackup {
  /** Gives the copy its final name, never one that is taken, and returns it. */
  keep(): string;
  /** Removes the copy, unless it was kept. */
  discard(): void;
}

/** Copies the file when it is one of the Python program; undefined otherwise. */
export async function startPythonBackup(database: Database): Promise<PythonBackup | undefined> {
  const { path } = database;
  // The copy is of one consistent state. A Python program that writes in the moment between it and the take-over adds
  // jobs that are taken over, but are not in the copy.
  const isStill = () => database.read(() => isPythonDatabase(database));
  if (!await isStill()) return undefined;
  const copy = makeCopyFile(path);
  try {
    await backup(database.connection, copy);
  } catch (error) {
    removeIfThere(copy);
    // Another process has taken the database over meanwhile, and removed this copy.
    if (!await isStill()) return undefined;
    throw databaseError(copy, error);
  }
  return {
    discard: () => void removeIfThere(copy),
    keep() {
      const target = freeName(`${path}.python-backup`);
      Deno.renameSync(copy, target);
      return target;
    },
  };
}

const copyMark = ".python-copy-";

/** An empty file for the copy, beside the database and for its owner alone. */
function makeCopyFile(path: string): string {
  try {
    return Deno.makeTempFileSync({ dir: dirname(path), prefix: `${basename(path)}${copyMark}` });
  } catch (error) {
    const reason = (error as Error).message;
    throw new QueuectlError("database", `No copy of ${path} can be made before it is taken over: ${reason}`, {
      cause: error,
    });
  }
}

/** Removes what others have copied who came too late, or were killed before they could take the database over. */
export function removeOtherCopies(path: string): void {
  for (const { name, isFile } of Deno.readDirSync(dirname(path))) {
    if (!isFile || !name.startsWith(`${basename(path)}${copyMark}`)) continue;
    try {
      removeIfThere(`${dirname(path)}/${name}`);
    } catch (error) {
      // Another user's, who may give his files what names he likes.
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    }
  }
}

function freeName(path: string): string {
  for (let number = 1;; number++) {
    const name = number === 1 ? path : `${path}-${number}`;
    try {
      Deno.lstatSync(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return name;
      throw error;
    }
  }
}

/**
 * Copies every row of `python_jobs` (the renamed table) into `jobs`, in the order in which the jobs were made, and
 * drops it. A `processing` row belongs to a worker that is gone: it becomes `failed` and due. A damaged row is told and
 * left out: it is in the copy. Returns the number.
 */
export function importPythonJobs(database: Database): number {
  const now = database.now();
  const insertJob = database.prepare(`
    INSERT INTO jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at,
      next_attempt_at, run, last_error, set_aside)
    VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?) RETURNING seq`);
  const tally = openTally(database);
  const insertAttempt = database.prepare(`
    INSERT INTO attempts (key, number, worker, started_at, ended_at, outcome, output, error_output)
    VALUES (${attemptKey("?", "1")}, ?, 'python', ?, ?, 'exited', ?, ?)`);
  const rows = database.prepare("SELECT * FROM python_jobs").all();
  const jobs = readable(rows, (row) => ({
    row: checkedRow(row),
    createdAt: parsePythonTime(row.created_at) ?? now,
    updatedAt: parsePythonTime(row.updated_at) ?? now,
    nextAttemptAt: parsePythonTime(row.next_attempt_at),
  }), database.tellDamage);
  // The text has microseconds, where the time has milliseconds.
  jobs.sort((a, b) =>
    a.createdAt - b.createdAt || String(a.row.created_at).localeCompare(String(b.row.created_at))
  );
  for (const { row, createdAt, updatedAt, nextAttemptAt } of jobs) {
    const interrupted = row.state === "processing";
    const state = interrupted ? "failed" : row.state;
    const waits = state === "failed" && !interrupted && nextAttemptAt !== null;
    const available = state === "pending" || state === "failed" && !waits ? 1 : 0;
    const ran = row.output !== null || row.last_error !== null;
    const { seq } = insertJob.get(
      row.id,
      row.command,
      state,
      available,
      row.attempts,
      row.max_retries,
      createdAt,
      updatedAt,
      waits ? nextAttemptAt : null,
      ran ? 1 : 0,
      row.last_error,
      state === "dead" ? 1 : null,
    )!;
    tally.move(null, state);
    if (ran) {
      insertAttempt.run(
        seq,
        row.attempts,
        updatedAt,
        updatedAt,
        row.output ?? "",
        row.last_error ?? "",
      );
    }
  }
  tally.write();
  database.connection.exec("DROP TABLE python_jobs");
  return jobs.length;
}

/** A row of the Python program's table. Throws `database` where a column has what it never puts there. */
function checkedRow(row: Row) {
  return {
    id: text(row, "id"),
    command: text(row, "command"),
    state: jobState(row),
    attempts: number(row, "attempts"),
    max_retries: number(row, "max_retries"),
    created_at: textOrNull(row, "created_at"),
    last_error: textOrNull(row, "last_error"),
    output: textOrNull(row, "output"),
  };
}

/**
 * Reads a time as the Python program wrote it: ISO 8601 with `Z` or an offset, or SQLite's `YYYY-MM-DD HH:MM:SS`,
 * which is UTC. Null when it is none of them.
 */
export function parsePythonTime(text: unknown): number | null {
  if (typeof text !== "string") return null;
  const iso = text.includes("T") ? text : `${text.replace(" ", "T")}Z`;
  const time = Date.parse(iso);
  return Number.isNaN(time) ? null : time;
}
