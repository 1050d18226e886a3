/**
 * Whose a Unix socket is. In a folder that others can write, as /tmp, anybody can listen. The system would tell who does
 * (SO_PEERCRED), but not by Deno: so the owner of the socket's file stands for it, who is the one that has made it.
 */

import { statIfThere } from "../../../base/files.ts";
import type { FoundFile } from "./password_file.ts";
import { readProcessEnvironment } from "./process_environment.ts";

/** What the system says. */
export interface OwnerLookup {
  /** Of the file itself, not of what it is a link to; undefined where there is none. */
  lstat(path: string): FileOwner | undefined;
  stat(path: string): FileOwner | undefined;
  readFile(path: string): FoundFile | undefined;
  /** The number of the user; null where there is none, on Windows. */
  uid(): number | null;
}

export type FileOwner = Pick<Deno.FileInfo, "uid" | "mode" | "isSymlink">;

/** As what servers usually run: on Linux and most others, and on macOS and OpenBSD. */
const usualUsers = ["postgres", "_postgres"];

const [othersWrite, groupOrOthersWrite, sticky] = [0o002, 0o022, 0o1000];

/** Why a socket must not be used; undefined where it may be, or is not there. `requirePeer` is the user that it has to be of. */
export function socketProblem(
  path: string,
  requirePeer: string | null,
  system: OwnerLookup = ownLookup,
): string | undefined {
  const own = system.uid();
  if (own === null) {
    return requirePeer === null ? undefined : "whose a socket is cannot be told on this system (requirepeer)";
  }
  const folder = system.stat(path.slice(0, path.lastIndexOf("/")) || "/");
  const socket = system.lstat(path);
  if (!folder || !socket) return undefined;
  const mode = folder.mode ?? 0;
  const isShared = (mode & groupOrOthersWrite) !== 0;
  if (!isShared && requirePeer === null) return undefined;
  if (isShared && socket.isSymlink) return `the socket ${path} is a link, in a folder that others can write`;
  if ((mode & othersWrite) !== 0 && (mode & sticky) === 0) {
    return `the socket ${path} can be replaced by anybody: its folder can be written by others, and is not sticky`;
  }
  const owner = (socket.isSymlink ? system.stat(path) : socket)?.uid ?? null;
  const users = usersOf(system.readFile("/etc/passwd")?.text ?? "");
  const idOf = (name: string) => users.get(name) ?? (/^\d+$/.test(name) ? Number(name) : undefined);
  const trusted = requirePeer === null ? [0, own, ...usualUsers.map(idOf)] : [idOf(requirePeer)];
  if (owner !== null && trusted.includes(owner)) return undefined;
  const name = users.entries().find(([, uid]) => uid === owner)?.[0] ?? String(owner);
  if (requirePeer !== null) {
    return `the socket ${path} belongs to user ${name}, not to ${requirePeer} (requirepeer)`;
  }
  return `the socket ${path} belongs to user ${name}, in a folder that others can write; ` +
    `if that is the user of the server, say so: requirepeer=${name}`;
}

/** The numbers of users by their names, from lines `name:password:number:…`. */
function usersOf(text: string): Map<string, number> {
  const fields = text.split("\n").map((line) => line.split(":")).filter(({ length }) => length > 2);
  // Of two lines with one name the first counts.
  return new Map(fields.reverse().map(([name, , uid]) => [name, Number(uid)]));
}

const ownLookup: OwnerLookup = {
  stat: statIfThere,
  lstat(path) {
    try {
      return Deno.lstatSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  readFile: (path) => readProcessEnvironment().readFile(path),
  uid: () => Deno.uid(),
};
