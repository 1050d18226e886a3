/** Files that may be there or not, where others make and remove them at any time. */

/** Why the system does not give a file; what Deno advises to do about it is nothing that a user of this program can do. */
export const reasonOf = (error: Error): string =>
  error instanceof Deno.errors.NotCapable ? "files in /proc, /dev and /sys cannot be used" : error.message;

/** Whether there was one to remove. */
export function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The text; undefined when there is no file. */
export function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What is known of a file; undefined when there is none. */
export function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
