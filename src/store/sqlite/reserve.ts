/**
 * Room for removing jobs while the disk is full: SQLite writes to its log before anything is freed in the file, and needs two
 * other files to open it at all. It is kept by a file beside the database, which is removed when the room is needed.
 */

import { lstatIfThere, removeIfThere } from "../../base/files.ts";
import { type Database, explained, isFull } from "./database.ts";

/** Bytes that are kept, those that the disk is left of them later, for opening the file and a new job, and those of a write. */
const [size, leftFree, partSize] = [1024 ** 2, 128 * 1024, 64 * 1024];

/** Makes it where there is none, or only a part. What a disk or a limit refuses is left out. */
export function makeReserve(path: string, bytes = size): void {
  const file = `${path}.reserve`;
  if ((lstatIfThere(file)?.size ?? 0) >= bytes) return;
  removeReserve(file);
  try {
    using reserve = Deno.openSync(file, { write: true, createNew: true, mode: 0o600 });
    for (let left = bytes; left > 0;) {
      // What a disk cannot compress.
      const part = crypto.getRandomValues(new Uint8Array(Math.min(left, partSize)));
      left -= reserve.writeSync(part);
    }
  } catch (error) {
    // Nothing but this needs it.
    if (!(error instanceof Error)) throw error;
  }
}

/**
 * Gives its room to the disk. Returns what takes it back, but for a part, or as much as is left where others have taken the
 * room.
 */
export function takeReserve(path: string): () => void {
  const bytes = removeReserve(`${path}.reserve`);
  return () => {
    if (bytes > leftFree) makeReserve(path, bytes - leftFree);
  };
}

/** The bytes that this has freed. */
function removeReserve(file: string): number {
  try {
    const bytes = lstatIfThere(file)?.size ?? 0;
    return removeIfThere(file) ? Math.min(bytes, size) : 0;
  } catch (error) {
    // It cannot be removed: what is told is that the disk is full.
    if (!(error instanceof Error)) throw error;
    return 0;
  }
}

/**
 * Lets the next change overwrite the log, as far as the file has what is in it. Not where the file would grow by more
 * than the reserve: what is new in the log would take all the room that there is, and would still be in the log.
 */
export function reuseLog({ path, connection }: Database): void {
  try {
    const pragma = (name: string) => Number(connection.prepare(`PRAGMA ${name}`).get()![name]);
    const growth = pragma("page_count") * pragma("page_size") - (lstatIfThere(path)?.size ?? 0);
    if (growth > size) return;
    explained(path, () => connection.exec("PRAGMA wal_checkpoint"));
  } catch (error) {
    // What has no place in the file stays in the log.
    if (!isFull(error)) throw error;
  }
}
