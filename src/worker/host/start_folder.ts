/**
 * The folder in which `worker start` was called: where commands run that have none of their own. Managers and workers do not
 * stay in it: where the current folder of a process was removed, Deno can start no other process, for whatever folder.
 */

/**
 * Its name; null where commands get there only from a process that is in it: its name is no UTF-8, or leads through a folder
 * that this user may not enter, as after `sudo`. Null on Windows too, where a folder in which a process is cannot be removed.
 */
export function startFolder(): string | null {
  if (Deno.build.os === "windows") return null;
  try {
    const folder = Deno.cwd();
    Deno.chdir(folder);
    return folder;
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData || error instanceof Deno.errors.PermissionDenied) {
      return null;
    }
    throw error;
  }
}

/** Goes to a folder that stays, once the names that count from this one have been read; stays where it has no name. */
export function leaveStartFolder(folder: string | null): void {
  if (folder !== null) Deno.chdir("/");
}

/** Leaves a current folder that was removed before this process was ready to leave it: from there no process can be started. */
export function leaveRemovedFolder(): void {
  try {
    Deno.cwd();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) Deno.chdir("/");
  }
}

/** The folder for a worker that is started later, where it is still there: the database may be told by names that count from it. */
export function folderToStartIn(folder: string | null): string | undefined {
  if (folder === null) return undefined;
  try {
    return Deno.statSync(`${folder}/.`).isDirectory ? folder : undefined;
  } catch {
    // Gone, or closed to this user: commands with a folder of their own still have workers.
    return undefined;
  }
}
