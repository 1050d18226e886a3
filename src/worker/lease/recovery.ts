/**
 * Takes over what processes that are gone have left: for every job, its result is recorded, or its command adopted,
 * or its attempt is lost. See the table in .github/ARCHITECTURE.md.
 */

import { allowances } from "../../job/settings.ts";
import { delay } from "../../base/delay.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { Claim, Outcome } from "../../job/job.ts";
import type { ProcessIdentity, Store } from "../../store/store.ts";
import { isForeign } from "./origin.ts";
import { findGone, hostName, isAlive, takeSnapshot } from "../host/processes.ts";
import { outcomeOfEnd } from "../run/job_run.ts";
import { findMarkedRun } from "./marked_runs.ts";
import type { Snapshot } from "../host/platform.ts";
import { adoptCommand, endRest, lostCommand, type RunningCommand } from "../run/run_command.ts";
import {
  createStatus,
  type Ending,
  giveUp,
  hasStatus,
  makeSpool,
  noteTaken,
  readStatus,
  runFiles,
  type RunStatus,
  startedLine,
  writtenAt,
} from "../spool/spool.ts";
import { untilPossible } from "../host/until_possible.ts";

/** What was found of a job whose worker is gone. */
export type Recovered = RecoveredRun | RecoveredEnd;

/** Its command runs. With `ending` its last owner was about to end the command, for that reason. */
export interface RecoveredRun {
  kind: "running";
  claim: Claim;
  files: string;
  command: RunningCommand;
  ending: Ending | null;
}

/** Its run has ended. */
export interface RecoveredEnd {
  kind: "ended";
  claim: Claim;
  files: string;
  outcome: Outcome;
  keepFiles?: boolean;
  /** Pids of what is left of its command and cannot be ended. */
  alive?: readonly number[];
  /** When, by the store's clock, where that is known. */
  endedAt?: number;
  /** The name of the worker that ran it, where that was registered still. */
  worker?: string;
}

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
      const names = new Map(
        processes.flatMap((each) => each.running.map((id) => [id, workerName(each.identity)])),
      );
      const found = await findAll(store, claims, snapshot);
      return found.map((each) => ({ ...each, worker: names.get(each.claim.id) }));
    },
  };
}

async function findAll(store: Store, claims: Claim[], earlier?: Snapshot): Promise<Recovered[]> {
  if (claims.length === 0) return [];
  failpoint("taken-over");
  const seenAt = Date.now();
  const snapshot = earlier ?? await takeSnapshot();
  // Somebody may have removed it with what it held.
  makeSpool(store.spool, allowances().allowShared);
  // Windows lets nobody remove files that are open, and Wine knows no such time.
  const spoolMadeAt = Deno.build.os === "windows" ? 0 : Deno.statSync(store.spool).birthtime?.getTime() ?? 0;
  const startedAt = ({ elapsed }: Claim) => seenAt - elapsed;
  return await Promise.all(claims.map(async (claim) => {
    const files = runFiles(store.spool, claim.seq, claim.run);
    const isOlder = startedAt(claim) < spoolMadeAt || claim.startedAt < (store.begunAt ?? 0);
    const found = await find(claim, files, snapshot, store, isOlder);
    const exitAt = found.kind === "ended" && readStatus(files)?.exitStatus != null && writtenAt(files);
    if (!exitAt) return found;
    // By the store's clock; never before it was started, whatever was done to the clock of this host.
    return { ...found, endedAt: claim.startedAt + Math.max(0, exitAt - startedAt(claim)) };
  }));
}

/** A worker as stores name it in the runs that it records. */
const workerName = ({ host, pid }: ProcessIdentity) => `${host.split("/")[0]}:${pid}`;

/**
 * How a job stands; `isOlder` than the spool, or the server: what it had there is gone, because somebody has removed it, or
 * because the server of which this one is a copy has recorded its end.
 */
async function find(
  claim: Claim,
  files: string,
  snapshot: Snapshot,
  store: Store,
  isOlder: boolean,
): Promise<Recovered> {
  const { shared } = store;
  // What happens on another host cannot be seen from here: its lease has to be over.
  if (claim.elsewhere && !hasStatus(files)) {
    const message = "Command ran on another host, whose workers are gone";
    return { kind: "ended", claim, files, outcome: { kind: "lost", message } };
  }
  if (!hasStatus(files)) {
    const run = await findMarkedRun(`${claim.seq}.${claim.run}`, store);
    if (run) createStatus(files, startedLine(run));
  }
  // Its worker went before the command was started: the attempt was none. The file that giving up leaves keeps a
  // runner that is late, or stopped, from starting the command after all.
  if (giveUp(files)) {
    if (isOlder) {
      const message = "Command ended unseen: the files of its run were removed while it may have run";
      return { kind: "ended", claim, files, outcome: { kind: "lost", message }, keepFiles: true };
    }
    return { kind: "ended", claim, files, outcome: { kind: "handed_back" }, keepFiles: true };
  }
  let status = await readStartedStatus(files);
  // The end of a copied run is its end here too; where both have one spool it is the other's.
  if (
    status?.started && (shared || status.exitStatus === null) && isForeign(status.started, store, snapshot)
  ) {
    const message = "Command was started for another database, of which this one is a copy";
    return { kind: "ended", claim, files, outcome: { kind: "lost", message }, keepFiles: true };
  }
  if (shared && status?.started && status.exitStatus === null) {
    // Its last owner may only have slept, and is to end what it runs unless that is ours; so in this order.
    await untilPossible(() => noteTaken(files, claim.claim));
    status = readStatus(files);
  }
  if (status && status.exitStatus !== null) {
    const end = { kind: "exited", status: status.exitStatus, ending: status.ending ?? undefined } as const;
    const isBeingEnded = status.ending !== null && status.started?.boot === snapshot.boot;
    const alive = isBeingEnded ? await endRest(status.started!) : [];
    return { kind: "ended", claim, files, outcome: outcomeOfEnd(end, claim), alive };
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
    outcome: outcomeOfEnd(end.kind === "lost" ? { ...end, message: lostMessage } : end, claim),
    alive: end.kind === "lost" ? end.alive : [],
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
