/** Where the files of running commands are when the database is on a server: with what this user's programs keep. */

import { createHash } from "node:crypto";
import { QueuectlError } from "../../base/errors.ts";
import { stateFolder } from "../../base/state_folder.ts";
import type { Queue } from "./make_schema.ts";

/** The folder for one queue on one host. Pure. Throws `database` where the environment does not say where it can be. */
export function spoolFolder(
  queue: Omit<Queue, "started" | "startedAt">,
  schema: string,
  os: typeof Deno.build.os,
  environment: Record<string, string | undefined>,
): string {
  // A copy of a database has the identity of the first; its place tells them apart.
  const place = [queue.identity, queue.database, schema, queue.server];
  const name = createHash("sha256").update(place.join("\n")).digest("hex");
  const folder = stateFolder(os, environment);
  if (folder) return `${folder}/${name.slice(0, 32)}.spool`;
  const variables = os === "windows" ? "LOCALAPPDATA" : "HOME or XDG_STATE_HOME";
  throw new QueuectlError("database", `No folder for the output of running commands: set ${variables}`);
}
