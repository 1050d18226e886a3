/** A worker among the others of its queue: registered, with a lease that it renews, and looking after what others leave. */

import type { Config } from "../../job/settings.ts";
import type { Finished } from "../../job/job.ts";
import type { Store } from "../../store/store.ts";
import type { Fence } from "./fence.ts";
import { type Heartbeat, startHeartbeat } from "./heartbeat.ts";
import type { JobRun } from "../run/job_run.ts";
import type { Lease } from "./lease.ts";
import { createPaceMeter } from "./pace.ts";
import { createRecovery, type RecoveredEnd, type RecoveredRun } from "./recovery.ts";
import type { WorkerArguments, WorkerAssignment } from "../host/worker_arguments.ts";

export interface Membership {
  /** Its registration; another one after it was declared gone. */
  readonly id: number;
  /** Registers, and takes over what is left of workers that are gone. */
  join(): Promise<void>;
  /** Whether it may be taking over runs that nobody watches yet. */
  readonly looking: boolean;
  /** Renews the lease from now on. */
  startBeating(): void;
  /** Renews it at once, because its length is another one. */
  beatNow(): void;
  /** Counts those of the jobs that have ended for good, for the pace that a heartbeat tells. */
  recorded(results: readonly Finished[]): void;
  /** Stops renewing it and looking after others; resolves when nothing renews it any more. */
  stopBeating(): Promise<void>;
}

/** What a membership is about. */
export interface Member {
  store: Store;
  lease: Lease;
  fence: Fence;
  options: WorkerArguments & Pick<WorkerAssignment, "manager">;
  config(): Config;
  /** Announces the worker, and gives its id. */
  register(config: Config): Promise<number>;
  /** What it runs, by the keys of the jobs. */
  running: Map<number, JobRun>;
  /** Records how another worker's job has ended. */
  settle(found: RecoveredEnd): Promise<void>;
  /** Goes on with another worker's job that still runs. */
  adopt(found: RecoveredRun): JobRun;
  say(text: string): void;
  wake(): void;
}

export function createMembership(member: Member): Membership {
  const { store, lease, fence, options, running, say, wake } = member;
  const recovery = createRecovery(store);
  let id: number;
  let looking = false;
  let leaving = false;
  let heartbeat: Heartbeat | undefined;
  const pace = createPaceMeter(performance.now());

  async function register(): Promise<void> {
    const config = member.config();
    const sent = lease.now();
    id = await member.register(config);
    fence.renewed(sent, config.lease);
  }

  /** Leaves runs to whom they belong now: a worker of this host goes on with them, one of another starts them anew. */
  function giveAway(runs: readonly JobRun[]): void {
    if (store.shared) return fence.end(runs);
    for (const run of runs) {
      run.letGo();
      running.delete(run.claim.seq);
    }
  }

  /** Without `look` nobody is expected to be gone. */
  async function recoverOthers(look: boolean): Promise<void> {
    const worker = id;
    for (const found of await recovery.recover(worker, look)) {
      if (found.kind === "ended") {
        await member.settle(found);
        continue;
      }
      const run = member.adopt(found);
      // It was itself declared gone meanwhile.
      if (worker !== id) giveAway([run]);
    }
    wake();
  }

  async function beat(): Promise<void> {
    const { lease: length } = member.config();
    const sent = lease.now();
    const wasPaused = !fence.mayStart();
    if (await store.heartbeat(id, length, pace.perMinute(performance.now()))) {
      fence.renewed(sent, length);
    } else {
      say(`was taken for gone; the ${running.size} jobs it ran belong to another worker now`);
      giveAway([...running.values()]);
      await register();
    }
    if (wasPaused) wake();
    // The answer took long, and it is the sending that counts.
    if (lease.timeForWork() < length / 3) heartbeat?.beatNow();
    lookAfterOthers();
  }

  /** Whether there are processes of which this worker's manager knows nothing, or silent ones. */
  async function hasOthers(): Promise<boolean> {
    return (await store.processes()).some((process) =>
      process.expired || (process.manager ?? process.id) !== options.manager
    );
  }

  /** Where there are others. No heartbeat waits for it: it may take long. */
  async function lookAfterOthers(): Promise<void> {
    if (looking || leaving || lease.timeForWork() === 0) return;
    looking = true;
    try {
      if (await hasOthers()) await recoverOthers(true);
    } catch (error) {
      say(`cannot look after other workers: ${(error as Error).message}`);
    } finally {
      looking = false;
    }
  }

  return {
    get id() {
      return id;
    },
    get looking() {
      return looking;
    },
    async join() {
      await register();
      say("started");
      await recoverOthers(options.replacement || await hasOthers());
    },
    startBeating() {
      heartbeat = startHeartbeat(
        () => member.config().lease,
        beat,
        (error) => say(`cannot renew its lease: ${error.message}`),
      );
    },
    beatNow: () => heartbeat?.beatNow(),
    recorded(results) {
      pace.finished(results.filter(({ next }) => next.state === "completed" || next.state === "dead").length);
    },
    async stopBeating() {
      leaving = true;
      await heartbeat?.stop();
    },
  };
}
