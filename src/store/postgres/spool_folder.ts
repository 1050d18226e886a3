/** Where the files of running commands are when the database is on a server: with what this user's programs keep. */

import { createHash } from "node:crypto";
import { QueuectlError } from "../../errors.ts";
import type { Queue } from "./migrate.ts";

/** The folder for one queue on one host. Pure. Throws `usage` where the environment does not say where it can be. */
export function spoolFolder(
  queue: Queue,
  schema: string,
  os: typeof Deno.build.os,
  environment: Record<string, string | undefined>,
): string {
  // A copy of a database has the identity of the first; where it is beside it, its name tells them apart.
  const name = createHash("sha256").update([queue.identity, queue.database, schema].join("\n")).digest("hex");
  return `${stateFolder(os, environment)}/${name.slice(0, 32)}.spool`;
}

function stateFolder(os: typeof Deno.build.os, environment: Record<string, string | undefined>): string {
  const { HOME, XDG_STATE_HOME, LOCALAPPDATA } = environment;
  if (os === "windows" && LOCALAPPDATA) return `${LOCALAPPDATA}/queuectl`;
  if (os === "darwin" && HOME) return `${HOME}/Library/Application Support/queuectl`;
  // A relative one is not valid, by the rules of XDG.
  if (os !== "windows" && XDG_STATE_HOME?.startsWith("/")) return `${XDG_STATE_HOME}/queuectl`;
  if (os !== "windows" && HOME) return `${HOME}/.local/state/queuectl`;
  throw new QueuectlError(
    "usage",
    `No folder for the output of running commands: set ${os === "windows" ? "LOCALAPPDATA" : "HOME"}`,
  );
}
