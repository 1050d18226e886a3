/**
 * A worker: claims jobs, runs their commands side by side, records how they ended.
 *
 * One loop talks to the store, so that results and claims go in one transaction; everything else (ended commands,
 * timers, signals, changes by others) only wakes it.
 */

import { type Config, configFrom } from "../config.ts";
import { failpoint } from "../failpoint.ts";
import type { Claim } from "../job/job.ts";
import type { Store } from "../store/store.ts";
import { watchChanges } from "./change_watch.ts";
import { createClaimPause } from "./claim_pause.ts";
import { after, delay } from "./delay.ts";
import { isDrained } from "./drain.ts";
import { createFence } from "./fence.ts";
import { type EndedRun, finishedRun, type JobRun, watchRun } from "./job_run.ts";
import { createLease } from "./lease.ts";
import { print, workerLine } from "./log.ts";
import { createMembership } from "./membership.ts";
import { describeFinished } from "./messages.ts";
import { createOutputCutter } from "./output_cutter.ts";
import { createOutputShipper } from "./output_shipper.ts";
import type { Recovered } from "./recovery.ts";
import type { RunnerPool } from "./runner_pool.ts";
import { removeFiles, runFiles } from "./spool.ts";
import { readOutputs } from "./spool_output.ts";
import { createSignalDelivery } from "./signal_delivery.ts";
import { startRun } from "./start_run.ts";
import type { WorkerArguments, WorkerAssignment } from "./worker_arguments.ts";

export interface Worker {
  /** Works until it is stopped, or the queue is drained; tells which. */
  run(): Promise<"stopped" | "drained">;
  /** No new claims; what still runs after `grace` milliseconds (Infinity: however long it takes) is handed back. */
  stop(grace: number): void;
  /** Stops with the configured grace. */
  stopGracefully(): void;
}

/** Milliseconds between two looks at what runs: at its outputs, and whether it may still run. */
const lookInterval = 250;
/** Milliseconds after the grace for which one that was stopped still tries to reach the store. */
const storeGrace = 15_000;

/**
 * A worker on an open store, with the settings as they are now; it follows their changes. `register` announces it there
 * and gives its id, again when its lease was lost.
 */
export function createWorker(
  store: Store,
  pool: RunnerPool,
  config: Config,
  register: (config: Config) => Promise<number>,
  options: WorkerArguments & Pick<WorkerAssignment, "manager">,
): Worker {
  const running = new Map<number, JobRun>();
  const finished: EndedRun[] = [];
  let awake = Promise.withResolvers<void>();
  /** Whether others have changed anything since the last look. */
  let changed = true;
  let stopping = false;
  /** When what still runs is handed back, by the monotonic clock. */
  let stopAt = Infinity;
  let stopTimer: AbortController | undefined;
  let stopDueTimer = () => {};

  const wake = () => awake.resolve();
  const say = (...texts: string[]) => print(texts.map((text) => workerLine(options.number, text)));
  const pause = createClaimPause(wake);
  const cutOutputs = createOutputCutter(say);
  const shipOutputs = createOutputShipper(store, () => config.maxOutput, say);
  const lease = createLease(store.shared);
  const fence = createFence(lease, () => running.values(), say);
  const signalDelivery = createSignalDelivery(store, say, wake);
  const membership = createMembership({
    store,
    lease,
    fence,
    options,
    config: () => config,
    register,
    running,
    adopt,
    say,
    wake,
  });

  function stop(grace: number): void {
    const at = performance.now() + grace;
    // The store repeats its request at every turn.
    if (stopping && at >= stopAt) return;
    if (!stopping) say("stopping gracefully");
    stopping = true;
    stopAt = at;
    stopTimer?.abort();
    if (grace < Infinity) handBackAfter(grace, stopTimer = new AbortController());
    wake();
  }

  async function handBackAfter(grace: number, timer: AbortController): Promise<void> {
    await delay(grace, timer.signal);
    if (timer.signal.aborted) return;
    for (const run of running.values()) run.handBack();
  }

  function watch(run: JobRun): void {
    running.set(run.claim.seq, run);
    if (stopping && performance.now() >= stopAt) run.handBack();
    run.ended.then((end) => {
      if (running.get(run.claim.seq) === run) running.delete(run.claim.seq);
      if (end.kind === "finished") {
        const { finished: result, refusal, cut } = end;
        finished.push({ claim: run.claim, files: run.files, result, refusal, cut });
      }
      wake();
    });
  }

  /** Starts the command of a claim that `worker` has got, unless it may have become somebody else's meanwhile. */
  function start(claim: Claim, worker: number): void {
    const files = runFiles(store.spool, claim.seq, claim.run);
    const started = worker === membership.id && fence.mayStart()
      ? startRun(claim, files, pool, config)
      : { result: finishedRun(claim, { kind: "handed_back" }, { output: "", errorOutput: "" }, config) };
    if ("run" in started) return watch(started.run);
    finished.push({ claim, files, result: started.result });
    wake();
  }

  /** Goes on with what was found of another worker's job. */
  function adopt(found: Recovered): JobRun | undefined {
    const { claim, files } = found;
    if (found.kind === "ended") {
      const result = finishedRun(claim, found.outcome, readOutputs(files, config.maxOutput), config);
      finished.push({ claim, files, result, keepFiles: found.keepFiles });
      failpoint("recovered");
      return undefined;
    }
    say(`adopted job ${claim.id} (attempt ${claim.attempt})`);
    const run = watchRun(claim, files, found.command, claim.elapsed, config);
    if (found.ending === "handed_back") run.handBack();
    // A timeout that is over, and a cancel in the store, come by themselves.
    watch(run);
    return run;
  }

  /** One transaction with the store, and what follows from it. */
  async function turn(): Promise<void> {
    if (changed) {
      changed = false;
      const { lease } = config;
      config = configFrom(await store.settings());
      if (config.lease !== lease) membership.beatNow();
    }
    await signalDelivery.removeDelivered();
    const batch = finished.slice();
    const worker = membership.id;
    const mayClaim = !stopping && fence.mayStart() && pause.isOver() &&
      batch.every(({ refusal }) => refusal === undefined);
    const free = mayClaim ? Math.max(0, options.concurrency - running.size) : 0;
    // Where nothing is to be recorded, a look costs less than a transaction that writes.
    const want = free > 0 && (batch.length > 0 || await isWorkReady()) ? free : 0;
    const { claims, stale, cancel, signals, stop: stopRequest } = await store.exchange(
      worker,
      batch.map(({ result }) => result),
      want,
    );
    finished.splice(0, batch.length);
    membership.recorded(batch.map(({ result }) => result));
    if (batch.length > 0) failpoint("recorded");
    if (claims.length > 0) failpoint("claimed");
    const texts = batch.map(({ claim, result }) =>
      describeFinished(claim.id, stale.includes(claim.seq) ? null : result)
    );
    texts.push(...claims.map((claim) => `picked job ${claim.id} (attempt ${claim.attempt})`));
    // First of all: what else there is to do takes its time.
    for (const claim of claims) start(claim, worker);
    if (texts.length > 0) say(...texts);
    for (const seq of cancel) running.get(seq)?.cancel(config.grace);
    // What is being taken over is watched later, and its signals are told again at the turn after that.
    signalDelivery.deliver(
      membership.looking ? signals.filter(({ seq }) => running.has(seq)) : signals,
      running,
    );
    for (const { claim, files, keepFiles, refusal, cut } of batch) {
      if (stale.includes(claim.seq)) {
        // What the new owner of a job has done to the files says nothing about this system: claim again at once.
        if (refusal !== undefined) wake();
        continue;
      }
      if (!keepFiles) removeFiles(files, cut);
      if (refusal === undefined) pause.reset();
      else say(`${refusal}; claims nothing for ${pause.refuse() / 1000}s`);
    }
    if (stopRequest) stop(stopRequest.grace);
    // Everything there was has been claimed: what is left may become due.
    if (claims.length < want) await isWorkReady();
  }

  /** Whether something can be claimed now; sets the timer for what is due later. */
  async function isWorkReady(): Promise<boolean> {
    const { ready, dueIn } = await store.outlook(options.queues);
    stopDueTimer();
    if (dueIn !== null) stopDueTimer = after(dueIn, wake);
    return ready || dueIn === 0;
  }

  /** One turn, repeated while the store cannot be reached. True when there is nothing left to do. */
  async function workOnce(): Promise<boolean> {
    for (let wait = 100;; wait = Math.min(wait * 2, 10_000)) {
      // Made anew before the turn, so that what happens meanwhile is not missed.
      awake = Promise.withResolvers();
      try {
        await turn();
        if (running.size > 0 || finished.length > 0) return false;
        return stopping || options.drain && await isDrained(store, options.queues);
      } catch (error) {
        changed = true;
        // What could not be recorded is still in the spool, for whoever recovers the jobs.
        if (performance.now() > stopAt + storeGrace) throw error;
        say(`${(error as Error).message}; trying again in ${wait / 1000}s`);
        await delay(wait);
      }
    }
  }

  async function run(): Promise<"stopped" | "drained"> {
    await membership.join();
    const onChange = () => {
      changed = true;
      wake();
    };
    const endWatching = watchChanges(store, onChange, pause.isOver);
    const looks = setInterval(() => {
      fence.look();
      cutOutputs(running.values());
      shipOutputs(running.values());
    }, lookInterval);
    membership.startBeating();
    try {
      while (!await workOnce()) await awake.promise;
    } finally {
      await membership.stopBeating();
      fence.close();
      endWatching();
      clearInterval(looks);
      stopDueTimer();
    }
    pool.close();
    await store.leave(membership.id);
    return stopping ? "stopped" : "drained";
  }

  return { run, stop, stopGracefully: () => stop(config.grace) };
}
