/**
 * Takes over what processes that are gone have left: for every job, its result is recorded, or its command adopted,
 * or its attempt is lost. See the table in .github/ARCHITECTURE.md.
 */

import { delay } from "./delay.ts";
import { failpoint } from "../failpoint.ts";
import type { Claim, Outcome } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { findGone, hostName, isAlive, takeSnapshot } from "./processes.ts";
import { outcomeOfEnd } from "./job_run.ts";
import type { Snapshot } from "./platform.ts";
import { adoptCommand, lostCommand, type RunningCommand } from "./run_command.ts";
import { type Ending, giveUp, hasStatus, noteTaken, readStatus, runFiles, type RunStatus } from "./spool.ts";
import { untilPossible } from "./until_possible.ts";

/** What was found of a job whose worker is gone. */
export type Recovered =
  /** With `ending` its last owner was about to end the command, for that reason. */
  | { kind: "running"; claim: Claim; files: string; command: RunningCommand; ending: Ending | null }
  | { kind: "ended"; claim: Claim; files: string; outcome: Outcome; keepFiles?: boolean };

/** Takes over every job of processes that are gone, for one worker, and finds out how each of them stands. */
export interface Recovery {
  /** Without `look` nobody is expected to be gone: only what has no registered worker is taken over. */
  recover(worker: number, look?: boolean): Promise<Recovered[]>;
}

/**
 * A process of another host is gone when its lease is over: nothing else can be known of it from here. One of this host that is
 * there but silent gets a second look before its jobs are taken: after the whole host was asleep, the first that wakes
 * finds all the others silent.
 */
export function createRecovery(store: Store): Recovery {
  let silentBefore = new Set<number>();
  return {
    async recover(worker, look = true) {
      if (!look) return await findAll(store, await store.takeOver(worker, [], []));
      // In this order: a worker that registers after the look at the host would be missing there.
      const processes = (await store.processes()).filter(({ id }) => id !== worker);
      const snapshot = await takeSnapshot();
      const expired = processes.filter((process) => process.expired);
      const silent = expired.filter(({ id, identity }) =>
        identity.host !== hostName(snapshot) || silentBefore.has(id)
      );
      silentBefore = new Set(expired.map(({ id }) => id));
      const claims = await store.takeOver(
        worker,
        findGone(processes, snapshot, store.shared),
        silent.map(({ id }) => id),
      );
      return await findAll(store, claims, snapshot);
    },
  };
}

async function findAll(store: Store, claims: Claim[], earlier?: Snapshot): Promise<Recovered[]> {
  if (claims.length === 0) return [];
  failpoint("taken-over");
  const snapshot = earlier ?? await takeSnapshot();
  return await Promise.all(
    claims.map((claim) => find(claim, runFiles(store.spool, claim.seq, claim.run), snapshot, store.shared)),
  );
}

async function find(claim: Claim, files: string, snapshot: Snapshot, shared: boolean): Promise<Recovered> {
  // What happens on another host cannot be seen from here: its lease has to be over.
  if (claim.elsewhere && !hasStatus(files)) {
    const message = "Command ran on another host, whose workers are gone";
    return { kind: "ended", claim, files, outcome: { kind: "lost", message } };
  }
  // Its worker went before the command was started: the attempt was none. The file that giving up leaves keeps a
  // runner that is late, or stopped, from starting the command after all.
  if (giveUp(files)) {
    return { kind: "ended", claim, files, outcome: { kind: "handed_back" }, keepFiles: true };
  }
  let status = await readStartedStatus(files);
  if (shared && status?.started && status.exitStatus === null) {
    // Its last owner may only have slept, and is to end what it runs unless that is ours; so in this order.
    await untilPossible(() => noteTaken(files, claim.claim));
    status = readStatus(files);
  }
  if (status && status.exitStatus !== null) {
    const end = { kind: "exited", status: status.exitStatus, ending: status.ending ?? undefined } as const;
    return { kind: "ended", claim, files, outcome: outcomeOfEnd(end, claim) };
  }
  if (!status?.started) {
    return { kind: "ended", claim, files, outcome: { kind: "handed_back" }, keepFiles: true };
  }
  if (status.started.boot !== snapshot.boot) {
    const message = "Command ended without an exit status: its host was started anew";
    return { kind: "ended", claim, files, outcome: { kind: "lost", message } };
  }
  // One that only hung may have started it after the look.
  if (isAlive(status.started, snapshot) || isAlive(status.started, await takeSnapshot())) {
    const command = adoptCommand(files, status.started);
    return { kind: "running", claim, files, command, ending: status.ending };
  }
  const end = await lostCommand(files, status.started);
  return {
    kind: "ended",
    claim,
    files,
    outcome: end.kind === "exited" ? outcomeOfEnd(end, claim) : { kind: "lost", message: lostMessage },
  };
}

const lostMessage = "Command ended without an exit status while its worker was gone";

/** Milliseconds that a runner gets between making the status file and writing its first line. */
const firstLineTime = 5000;

/** The status of a run whose status file is there; undefined when nothing was written to it, as on a full disk. */
async function readStartedStatus(files: string): Promise<RunStatus | undefined> {
  for (const until = performance.now() + firstLineTime;;) {
    const status = readStatus(files);
    if (status || performance.now() > until) return status;
    await delay(20);
  }
}
