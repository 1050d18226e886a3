/** Paths that Windows takes although they are longer than its old limit. Pure. */

/** Characters of a path with its end that all functions of Windows take (MAX_PATH, less what a folder needs for a name). */
const alwaysTaken = 240;

/**
 * The form of an absolute path that has no limit of 260 characters, where it comes near that: `\\?\C:\…`, and
 * `\\?\UNC\server\share\…` (learn.microsoft.com/windows/win32/fileio/naming-a-file).
 */
export function longPath(path: string): string {
  const plain = path.replaceAll("/", "\\");
  if (plain.length < alwaysTaken || plain.startsWith("\\\\?\\")) return plain;
  return plain.startsWith("\\\\") ? `\\\\?\\UNC\\${plain.slice(2)}` : `\\\\?\\${plain}`;
}
