/**
 * Takes over what processes that are gone have left: for every job, its result is recorded, or its command adopted,
 * or its attempt is lost. See the table in .github/ARCHITECTURE.md.
 */

import { failpoint } from "../failpoint.ts";
import type { Claim, Outcome } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { outcomeOfStatus } from "../job/outcome.ts";
import { findGone, isAlive, takeSnapshot } from "./processes.ts";
import type { Snapshot } from "./platform.ts";
import { adoptCommand, lostCommand, type RunningCommand } from "./run_command.ts";
import { giveUp, readStatus, runFiles } from "./spool.ts";

/** What was found of a job whose worker is gone. */
export type Recovered =
  | { kind: "running"; claim: Claim; files: string; command: RunningCommand }
  | { kind: "ended"; claim: Claim; files: string; outcome: Outcome; keepFiles?: boolean };

/** Takes over every job of processes that are gone, for `worker`, and finds out how each of them stands. */
export async function recover(store: Store, worker: number): Promise<Recovered[]> {
  const snapshot = await takeSnapshot();
  const gone = findGone(await store.processes(), snapshot);
  const claims = await store.takeOver(worker, gone);
  if (claims.length > 0) failpoint("taken-over");
  return await Promise.all(
    claims.map((claim) => find(claim, runFiles(store.spool, claim.seq, claim.run), snapshot)),
  );
}

async function find(claim: Claim, files: string, snapshot: Snapshot): Promise<Recovered> {
  // Its worker went before the command was started: the attempt was none. The file that giving up leaves keeps a
  // runner that is late, or stopped, from starting the command after all.
  if (giveUp(files)) {
    return { kind: "ended", claim, files, outcome: { kind: "handed_back" }, keepFiles: true };
  }
  const status = readStatus(files);
  if (status && status.exitStatus !== null) {
    return { kind: "ended", claim, files, outcome: outcomeOfStatus(status.exitStatus) };
  }
  if (!status?.started) {
    return { kind: "ended", claim, files, outcome: { kind: "handed_back" }, keepFiles: true };
  }
  if (status.started.boot !== snapshot.boot) {
    const message = "Command ended without an exit status: its host was started anew";
    return { kind: "ended", claim, files, outcome: { kind: "lost", message } };
  }
  if (isAlive(status.started, snapshot)) {
    return { kind: "running", claim, files, command: adoptCommand(files, status.started) };
  }
  const end = await lostCommand(files, status.started);
  return {
    kind: "ended",
    claim,
    files,
    outcome: end.kind === "exited" ? outcomeOfStatus(end.status) : { kind: "lost", message: lostMessage },
  };
}

const lostMessage = "Command ended without an exit status while its worker was gone";
