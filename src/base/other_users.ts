/**
 * What other users could do by the files of a queue: who can write or replace them can have commands run as their owner. On
 * Windows, where Deno makes owners and modes up, nothing is found; there the access lists of folders protect files.
 *
 * Every look is a moment's: who can write the folder can make a file between it and the use of that file. So the database
 * is made exclusively, and looked at once more when SQLite has opened its files.
 */

import { fileItself, lstatIfThere, statIfThere } from "./files.ts";

/** One way for other users to have commands run as this one. */
export interface Exposure {
  what: string;
  /** What to do about it. */
  advice: string;
  /** It is a file that somebody else has made, or a link; not only one that others may write. */
  isForeign: boolean;
}

/** What SQLite reads beside a database, as part of it. */
const logSuffixes = ["-wal", "-shm", "-journal"];

/** What to do about a file that somebody else has made. */
const removal = "find out who has put it there, and remove it";

/** What is wrong about a SQLite file, made already or not, about the files beside it, and its folder and spool. */
export function databaseExposures(path: string): Exposure[] {
  if (Deno.build.os === "windows") return [];
  const link = lstatIfThere(path);
  const file = fileItself(path, link);
  const folders = new Set([folderOf(path), folderOf(file)]);
  return [
    ...databaseFileExposures(path, link),
    ...[...folders].flatMap(folderExposures),
    ...spoolFolderExposures(`${file}.spool`),
  ];
}

/** The same of the files alone, for a second look when they were opened. */
export function databaseFileExposures(path: string, link = lstatIfThere(path)): Exposure[] {
  if (Deno.build.os === "windows") return [];
  const name = `The database ${path}`;
  const found: Exposure[] = [];
  const info = link?.isSymlink ? statIfThere(path) : link;
  if (link?.isSymlink && !isTrusted(link)) {
    const what = `${name} is a link of ${owner(link)}, who could lead it elsewhere`;
    found.push({ what, advice: "give the path of the database itself", isForeign: true });
  }
  if (info && !isOwn(info)) {
    const what = `${name} belongs to ${owner(info)}, whose jobs would run as you`;
    found.push({ what, advice: "use one of your own", isForeign: true });
  }
  if (info && isWritable(info)) found.push(writable(name, path));
  // SQLite follows a link before it looks for the other files.
  const file = fileItself(path, link);
  return [...found, ...logSuffixes.flatMap((suffix) => logExposures(`${file}${suffix}`))];
}

function logExposures(path: string): Exposure[] {
  const info = lstatIfThere(path);
  if (!info) return [];
  if (info.isSymlink) {
    return [{ what: `The file ${path} of the database is a link`, advice: removal, isForeign: true }];
  }
  if (!isOwn(info)) {
    const what = `The file ${path} of the database belongs to ${owner(info)}`;
    return [{ what, advice: removal, isForeign: true }];
  }
  return isWritable(info) ? [writable(`The file ${path} of the database`, path)] : [];
}

function folderExposures(path: string): Exposure[] {
  const mode = statIfThere(path)?.mode ?? 0;
  // With the sticky bit, as in /tmp, nobody can remove or replace what others have made.
  if ((mode & 0o002) === 0 || (mode & 0o1000) !== 0) return [];
  return [{
    what: `The folder ${path} can be written by every user, who could put another database there`,
    advice: `take that away with "chmod o-w ${path}", or put the database into a folder of your own`,
    isForeign: false,
  }];
}

/** What is wrong about the spool itself. */
function spoolFolderExposures(folder: string): Exposure[] {
  const info = Deno.build.os === "windows" ? undefined : lstatIfThere(folder);
  if (!info) return [];
  const name = `The folder ${folder} for running commands`;
  if (info.isSymlink && !isTrusted(info)) {
    return [{ what: `${name} is a link of ${owner(info)}`, advice: removal, isForeign: true }];
  }
  const target = info.isSymlink ? statIfThere(folder) : info;
  if (!target) return [];
  if (!isOwn(target)) {
    return [{ what: `${name} belongs to ${owner(target)}`, advice: removal, isForeign: true }];
  }
  return isWritable(target) ? [writable(name, folder)] : [];
}

/** What is wrong about the spool, or about one of the first files in it that somebody else has made. */
export function spoolExposures(folder: string): Exposure[] {
  const found = spoolFolderExposures(folder);
  if (Deno.build.os === "windows" || found.length > 0 || !statIfThere(folder)) return found;
  for (const { name } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    const info = lstatIfThere(path);
    if (!info || !info.isSymlink && isOwn(info)) continue;
    const kind = info.isSymlink ? "is a link" : `belongs to ${owner(info)}`;
    found.push({ what: `The file ${path} of a run ${kind}`, advice: removal, isForeign: true });
    if (found.length === 5) break;
  }
  return found;
}

/** An exposure as the words of a refusal. */
export const refusalOf = ({ what, advice }: Exposure): string =>
  `${what}: ${advice}, or use it all the same with --allow-shared-db`;

const isOwn = ({ uid }: Deno.FileInfo) => uid === Deno.uid();

/** Whether nobody else could have made a link: root could do whatever a link can. */
const isTrusted = (info: Deno.FileInfo) => isOwn(info) || info.uid === 0;

const isWritable = ({ mode }: Deno.FileInfo) => ((mode ?? 0) & 0o022) !== 0;

const owner = ({ uid }: Deno.FileInfo) => uid === 0 ? "root" : `another user (uid ${uid})`;

const writable = (name: string, path: string): Exposure => ({
  what: `${name} can be written by other users, who could have commands run as you`,
  advice: `take that away with "chmod go-w ${path}"`,
  isForeign: false,
});

/** Not of `node:path`, which costs milliseconds. */
const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";
