/** Where the file of a database is, and whether it still is there. */

import type { Database } from "./database.ts";

/** The folder by its number, which it has under all of its names, and the name of the file in it. */
export function placeOf(path: string): string {
  const end = path.lastIndexOf("/");
  return `${numberOf(path.slice(0, end) || "/")}/${path.slice(end + 1)}`;
}

/** Whether it was there when somebody last looked for other names of it; to be asked in a transaction. */
export const isKnownPlace = (database: Database, place: string): boolean =>
  database.prepare("SELECT 1 FROM places WHERE place = ?").get(place) !== undefined;

/**
 * What no copy of a file has, as long as the host is up: its number, which it keeps when it is moved, and its path, where the
 * system has no numbers or changes them.
 */
export const identities = (path: string): string[] => {
  const number = numberOf(path);
  return [...number === null ? [] : [number], encodeURIComponent(Deno.realPathSync(path))];
};

/** The number of a file or folder; null where the system has none. */
function numberOf(path: string): string | null {
  const { dev, ino } = Deno.statSync(path);
  return ino === null ? null : `${dev}:${ino}`;
}

/** Tells whether the file with this name is the one that had it at the first call. Windows lets nobody remove an open file. */
export function presence(path: string): () => boolean {
  let first: string | null | undefined;
  return () => {
    try {
      const present = numberOf(path);
      first ??= present;
      return present === first;
    } catch (error) {
      // What cannot be looked at may still be there.
      return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
    }
  };
}
