/**
 * Whose a run is. Who copies a database copies the files of its runs too, and the names of its workers, but not what runs:
 * that belongs to the database for which it was started, and to no other.
 */

import type { Store } from "../../store/store.ts";
import type { Snapshot } from "../host/platform.ts";
import { findProcess } from "../host/processes.ts";
import type { RunOrigin, StartedRun } from "../spool/spool.ts";

/** The origin of runs that this process starts. */
export const ownOrigin = (store: Pick<Store, "identities" | "shared" | "spool">): RunOrigin => ({
  worker: Deno.pid,
  database: store.identities,
  ...store.shared && { queue: queueName(store) },
});

/** The name that the spool of a queue on a server has in whichever folder: of its server, database and schema. */
const queueName = ({ spool }: Pick<Store, "spool">) => spool.slice(spool.lastIndexOf("/") + 1);

/** Whether a run was started for this queue, as its processes tell it; a server has others. */
export const isOwn = (origin: RunOrigin, store: Pick<Store, "identities" | "shared" | "spool">): boolean =>
  store.shared ? origin.queue === queueName(store) : isOf(origin, store.identities);

const isOf = ({ database }: RunOrigin, identities: readonly string[]) =>
  database.some((identity) => identities.includes(identity));

/** Whether a run was started for none of these identities of a database; of an older queuectl nobody can tell. */
export const isOfOther = ({ origin }: StartedRun, identities: readonly string[]): boolean =>
  origin !== undefined && !isOf(origin, identities);

/** Whether a run is none of this store: its command is neither to be adopted nor ended. */
export function isForeign(
  run: StartedRun,
  { identities, shared }: Pick<Store, "identities" | "shared">,
  snapshot: Snapshot,
): boolean {
  if (!isOfOther(run, identities)) return false;
  // A server that was started anew has another identity, and a copy of its files the same spool. While its own worker lives
  // that looks after the command.
  return !shared || findProcess(run, snapshot)?.parent === run.origin?.worker;
}
