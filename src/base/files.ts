/** Files that may be there or not, where others make and remove them at any time. */

/** Why the system does not give a file; what Deno advises to do about it is nothing that a user of this program can do. */
export const reasonOf = (error: Error): string =>
  error instanceof Deno.errors.NotCapable ? "files in /proc, /dev and /sys cannot be used" : error.message;

/** What `use` gives of a file; undefined where there is none. */
function ifThere<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    // Below a file there is none either.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Whether there was one to remove. */
export const removeIfThere = (path: string): boolean =>
  ifThere(() => {
    Deno.removeSync(path);
    return true;
  }) ?? false;

/** Whether there was one to say of that it was written now. */
export const touchIfThere = (path: string): boolean =>
  ifThere(() => {
    Deno.utimeSync(path, new Date(), new Date());
    return true;
  }) ?? false;

/** The text; undefined when there is no file. */
export const readIfThere = (path: string): string | undefined => ifThere(() => Deno.readTextFileSync(path));

/** What is known of a file; undefined when there is none. */
export const statIfThere = (path: string): Deno.FileInfo | undefined => ifThere(() => Deno.statSync(path));

/** The same of a link itself, where it is one. */
export const lstatIfThere = (path: string): Deno.FileInfo | undefined => ifThere(() => Deno.lstatSync(path));

/** The path of the file to which a link leads; the path itself where it is none, or leads nowhere. `info` is of the path. */
export const fileItself = (path: string, info = lstatIfThere(path)): string =>
  info?.isSymlink && statIfThere(path) ? Deno.realPathSync(path) : path;

/**
 * Whether Windows refuses something because a process has the file open: with EBUSY, or as if it were not allowed where the
 * file is to be removed already. Other systems never refuse that.
 */
export function isInUse(error: unknown): boolean {
  if (Deno.build.os !== "windows") return false;
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.Busy ||
    (error as { code?: string }).code === "EBUSY";
}
