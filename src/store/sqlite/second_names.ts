/**
 * Other names of the file of a database. SQLite keeps its log beside the name by which it opens a file, and what is in one
 * log the users of another name do not see: jobs that were acknowledged would be lost
 * (https://www.sqlite.org/howtocorrupt.html, section 2.5). A symbolic link is none of these: SQLite follows it.
 */

import { QueuectlError } from "../../base/errors.ts";
import type { OpenOptions } from "../store.ts";
import type { Database } from "./database.ts";

const onWindows = Deno.build.os === "windows";

/** Tells of, and unless it is allowed refuses, a file with so many hard links. Throws `database`. */
export function refuseHardLinks(path: string, names: number, options: OpenOptions): void {
  const what = `The database ${path} has ${names} names (hard links), each with a log of its own: ` +
    "what is added by one of them can be lost to the others";
  const list = `${onWindows ? "fsutil hardlink list" : "find / -xdev -samefile"} ${path}`;
  refuse(what, `stop its workers (Ctrl-C or TERM), and keep one of those that "${list}" tells`, options);
}

/**
 * The same of a file that is mounted alone, as containers do it with one that is given as a volume. Only the list of the mounts
 * tells: a mount within one file system looks like the file itself. Resolves to whether it could be told.
 */
export async function refuseOwnMount(path: string, options: OpenOptions): Promise<boolean> {
  const points = await mountPoints();
  if (points.includes(Deno.realPathSync(path))) {
    const what = `The database ${path} is mounted as a file alone, away from its log: ` +
      "what is added by its other name can be lost";
    refuse(what, "mount the folder that it is in", options);
  }
  return points.length > 0;
}

function refuse(what: string, advice: string, { inspect, allowLinked }: OpenOptions): void {
  inspect?.([{ what, advice, isForeign: false }]);
  if (allowLinked) return;
  throw new QueuectlError("database", `${what}; ${advice}, or use it all the same with --allow-linked-db`);
}

/** Where something is mounted (proc_pid_mountinfo(5)): a list that a program with listed permissions may not read itself. */
async function mountPoints(): Promise<string[]> {
  try {
    const { stdout } = await new Deno.Command("cat", {
      args: ["/proc/self/mountinfo"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
    return lines.map((line) => withoutCodes(line.split(" ")[4] ?? ""));
  } catch (error) {
    // Whatever keeps it from starting, there may be no other name at all.
    if (error instanceof Error) return [];
    throw error;
  }
}

/** Blanks, ends of lines and backslashes are there as the octal numbers of their characters. */
const withoutCodes = (name: string) =>
  name.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));

/** Remembers where the file is, in place of where it was. */
export async function notePlace(database: Database, place: string): Promise<void> {
  await database.write(() => {
    database.prepare("DELETE FROM places").run();
    database.prepare("INSERT INTO places VALUES (?)").run(place);
  });
}
