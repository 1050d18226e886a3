/**
 * A worker: claims jobs, runs their commands side by side, records how they ended.
 *
 * One loop talks to the store, so that results and claims go in one transaction; everything else (ended commands,
 * timers, signals, changes by others) only wakes it.
 */

import { type Config, configFrom } from "../job/settings.ts";
import { QueuectlError } from "../base/errors.ts";
import { failpoint } from "../base/failpoint.ts";
import type { Claim } from "../job/job.ts";
import { noLongerInPlace } from "../store/errors.ts";
import type { Exchange, Store } from "../store/store.ts";
import { createBegunRuns } from "./rated_starts.ts";
import { watchChanges } from "./change_watch.ts";
import { createClaimPause } from "./claim_pause.ts";
import { after, delay } from "../base/delay.ts";
import { isDrained } from "./manager/drain.ts";
import { createFence } from "./lease/fence.ts";
import { type EndedRun, finishedRun, type JobRun, watchRun } from "./run/job_run.ts";
import { hostText } from "./spool/host_text.ts";
import { createLease } from "./lease/lease.ts";
import { print, workerLine } from "./host/log.ts";
import { createMembership } from "./lease/membership.ts";
import { describeFinished } from "./messages.ts";
import { createOutputCutter } from "./run/output_cutter.ts";
import { createOutputShipper } from "./run/output_shipper.ts";
import type { RecoveredEnd, RecoveredRun } from "./lease/recovery.ts";
import type { RunnerPool } from "./run/runner_pool.ts";
import { runFiles } from "./spool/spool.ts";
import { readOutputs, shortenOutputs } from "./spool/spool_output.ts";
import { createSignalDelivery } from "./run/signal_delivery.ts";
import { startRun } from "./run/start_run.ts";
import { createStorePatience, recordGrace } from "./store_patience.ts";
import type { WorkerArguments, WorkerAssignment } from "./host/worker_arguments.ts";

export interface Worker {
  /** Works until it is stopped, or the queue is drained; tells which. */
  run(): Promise<"stopped" | "drained">;
  /**
   * No new claims; what still runs after `grace` milliseconds (Infinity: however long it takes) is handed back. When
   * nothing runs, a store that cannot be reached is waited for a few seconds, 15 where something is to be recorded; with
   * `hurried` hardly at all.
   */
  stop(grace: number, hurried?: boolean): void;
  /** Stops with the configured grace, or that of containers. */
  stopGracefully(): void;
}

/** Milliseconds between two looks at what runs: at its outputs, and whether it may still run. */
const lookInterval = 250;

/**
 * A worker on an open store, with the settings as they are now; it follows their changes. `register` announces it there
 * and gives its id, again when its lease was lost.
 */
export function createWorker(
  store: Store,
  pool: RunnerPool,
  config: Config,
  register: (config: Config) => Promise<number>,
  options: WorkerArguments & Pick<WorkerAssignment, "manager" | "folder"> & { inContainer: boolean },
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
  let isHurried = false;
  /** Ends the wait for another turn, where the last one failed. */
  let pausing: AbortController | undefined;
  let stopDueTimer = () => {};

  const wake = () => awake.resolve();
  const say = (...texts: string[]) => print(texts.map((text) => workerLine(options.number, text)));
  const begun = createBegunRuns(wake);
  const pause = createClaimPause(wake);
  const patience = createStorePatience(store, say, () => pausing?.abort());
  const cutter = createOutputCutter(say, () => config.maxOutput);
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
    settle,
    adopt,
    say,
    wake,
  });

  function stop(grace: number, hurried = false): void {
    const at = performance.now() + grace;
    isHurried ||= hurried;
    // The store repeats its request at every turn.
    if (stopping && at >= stopAt) return hastenStore();
    if (!stopping) say("stopping gracefully");
    stopping = true;
    stopAt = at;
    stopTimer?.abort();
    if (grace < Infinity) handBackAfter(grace, stopTimer = new AbortController());
    hastenStore();
    wake();
  }

  function hastenStore(): void {
    const isIdle = stopAt < Infinity && running.size === 0;
    patience.update({ isIdle, isHurried, results: finished.length });
  }

  async function handBackAfter(grace: number, timer: AbortController): Promise<void> {
    await delay(grace, timer.signal);
    if (timer.signal.aborted) return;
    for (const run of running.values()) run.handBack();
  }

  function watch(run: JobRun): void {
    running.set(run.claim.seq, run);
    hastenStore();
    const { startedAt, elapsed } = run.claim;
    const claimedAt = performance.now() - elapsed;
    if (stopping && performance.now() >= stopAt) run.handBack();
    run.ended.then((end) => {
      if (running.get(run.claim.seq) === run) running.delete(run.claim.seq);
      if (end.kind === "finished") {
        const { finished: result, refusal, cut, keepFiles } = end;
        const endedAt = startedAt + Math.round(performance.now() - claimedAt);
        record({ claim: run.claim, files: run.files, result, refusal, cut, keepFiles, endedAt });
      }
      hastenStore();
      wake();
    });
    begun.watch(run, () => running.get(run.claim.seq) === run);
  }

  /** Has an end recorded. */
  function record(run: EndedRun): void {
    finished.push(run);
    begun.noteEnd(run.claim);
  }

  /** Starts the command of a claim that `worker` has got, unless it may have become somebody else's meanwhile. */
  function start(claim: Claim, worker: number): void {
    const files = runFiles(store.spool, claim.seq, claim.run);
    claim.cwd ??= options.folder;
    const started = worker === membership.id && fence.mayStart()
      ? startRun(claim, files, pool, config)
      : { result: finishedRun(claim, { kind: "handed_back" }, { output: "", errorOutput: "" }, config) };
    if ("run" in started) return watch(started.run);
    record({ claim, files, result: started.result });
    wake();
  }

  /** Records how another worker's job has ended. */
  async function settle(found: RecoveredEnd): Promise<void> {
    const { claim, files, outcome, keepFiles, alive, endedAt, worker } = found;
    const outputs = await hostText.read((decoder) => readOutputs(files, config.maxOutput, decoder));
    const result = { ...finishedRun(claim, outcome, outputs, config, alive), endedAt, worker };
    record({ claim, files, result, keepFiles });
    failpoint("recovered");
  }

  /** Goes on with another worker's job that still runs. */
  function adopt(found: RecoveredRun): JobRun {
    const { claim, files } = found;
    say(`adopted job ${claim.id} (attempt ${claim.attempt})`);
    const run = watchRun(claim, files, found.command, claim.elapsed, config);
    if (found.ending === "handed_back") run.handBack();
    // A timeout that is over, and a cancel in the store, come by themselves.
    watch(run);
    return run;
  }

  function obey({ cancel, signals, stop: request }: Omit<Exchange, "claims" | "stale">): void {
    for (const seq of cancel) running.get(seq)?.cancel(config.grace);
    // What is being taken over is watched later, and its signals are told again at the turn after that.
    signalDelivery.deliver(
      membership.looking ? signals.filter(({ seq }) => running.has(seq)) : signals,
      running,
    );
    if (request) stop(request.grace);
  }

  /** Does what was asked of it while nothing can be recorded: a file can be read that cannot be written. */
  async function obeyMeanwhile(): Promise<void> {
    if (store.shared) return;
    try {
      obey(await store.exchange(membership.id, [], 0));
    } catch (error) {
      // The next turn meets it too, and tells it.
      if (!(error instanceof QueuectlError)) throw error;
    }
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
    const told = begun.claims.slice();
    const worker = membership.id;
    const mayClaim = !stopping && fence.mayStart() && pause.isOver() &&
      batch.every(({ refusal }) => refusal === undefined);
    const free = mayClaim ? Math.max(0, options.concurrency - running.size) : 0;
    // Where nothing is to be recorded, a look costs less than a transaction that writes.
    const want = free > 0 && (batch.length > 0 || await isWorkReady()) ? free : 0;
    const answer = await store.exchange(worker, batch.map(({ result }) => result), want, told);
    const { claims, stale } = answer;
    finished.splice(0, batch.length);
    begun.told(told.length);
    hastenStore();
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
    obey(answer);
    for (const run of batch) {
      const { claim, keepFiles, refusal } = run;
      if (stale.includes(claim.seq)) {
        // What the new owner of a job has done to the files says nothing about this system: claim again at once.
        if (refusal !== undefined) wake();
        continue;
      }
      if (!keepFiles) cutter.remove(run);
      if (refusal === undefined) pause.reset();
      else say(`${refusal}; claims nothing for ${pause.refuse() / 1000}s`);
    }
    // Everything there was has been claimed: what is left may become due.
    if (claims.length < want) await isWorkReady();
  }

  /** Whether something can be claimed now; sets the timer for what is due later. */
  async function isWorkReady(): Promise<boolean> {
    const { ready, dueIn } = await store.availability(options.queues);
    stopDueTimer();
    if (dueIn !== null) stopDueTimer = after(dueIn, wake);
    return ready || dueIn === 0;
  }

  function shortenFinished(): void {
    for (const { claim, files, result } of finished) {
      try {
        shortenOutputs(files, result);
      } catch (error) {
        say(`cannot shorten the output of job ${claim.id}: ${(error as Error).message}`);
      }
    }
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
        for (const run of finished) run.result.endedAt ??= run.endedAt;
        // What the commands have printed may be what fills the disk of the database.
        if (!store.shared) shortenFinished();
        await obeyMeanwhile();
        if (performance.now() >= Math.min(patience.until, stopAt + recordGrace)) {
          if (finished.length > 0) {
            const runs = finished.length === 1 ? "1 ended run is" : `${finished.length} ended runs are`;
            say(`${runs} not recorded: the next worker of this host does that`);
          }
          throw error;
        }
        const pause = stopping ? Math.min(wait, 250) : wait;
        say(`${(error as Error).message}; trying again in ${pause / 1000}s`);
        pausing = new AbortController();
        await delay(pause, pausing.signal);
        pausing = undefined;
      }
    }
  }

  async function run(): Promise<"stopped" | "drained"> {
    await membership.join();
    const onChange = () => {
      changed = true;
      wake();
      if (pausing) void obeyMeanwhile();
    };
    const endWatching = watchChanges(store, onChange, pause.isOver);
    // The first look tells which file is to stay there.
    store.isInPlace();
    let isInPlace = true;
    const looks = setInterval(() => {
      if (isInPlace && !store.isInPlace()) {
        isInPlace = false;
        // What ends within the grace is recorded where the file is now; whoever finds it there finds nothing that runs.
        say(noLongerInPlace(store.location).message);
        stop(config.grace);
      }
      fence.look();
      if (isInPlace) cutter.look(running.values());
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
      patience.end();
    }
    pool.close();
    await store.leave(membership.id);
    return stopping ? "stopped" : "drained";
  }

  return { run, stop, stopGracefully: () => stop(stopGrace(config, options.inContainer)) };
}

/** Engines kill what is left of a container after 10 s: until then what was ended, 5 s after this, is to be recorded. */
const containerGrace = 4000;

/** Milliseconds that running commands are given when a worker is told to stop. */
export function stopGrace({ grace }: Config, inContainer: boolean): number {
  return inContainer && grace === configFrom([]).grace ? containerGrace : grace;
}
