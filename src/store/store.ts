/**
 * What a store does, whichever engine is under it: types only. Every method is one atomic state transition; durations
 * go in and come out in milliseconds, times are milliseconds since 1970 by the store's clock. A method that cannot
 * reach the database throws QueuectlError `database`.
 */

import type { Exposure } from "../base/other_users.ts";
import type { Attempt, Claim, Finished, JobChanges, JobState, NewJob, Start } from "../job/job.ts";
import type { Changed } from "./side_effects.ts";
import type { Enqueued, Intake } from "./bulk_enqueue.ts";
import type { Moving } from "./transfer_types.ts";
import type { NewOutputPart, OutputPart, OutputStream } from "./running_output.ts";
import type { JobDetail, JobProgress, Upcoming } from "./progress.ts";
import type { Availability, KeptBack, Queue, QueueDefaults, QueueSettings } from "./queues.ts";
import type { RegisteredProcess, Registration, StopRequest } from "./registration.ts";
import type { ListedJob, ListFilter, PageOfKeys, Selection } from "./job_filter.ts";

export type { Changed } from "./side_effects.ts";
export type { Enqueued, Intake } from "./bulk_enqueue.ts";
export type { ProcessIdentity, RegisteredProcess, Registration, Role, StopRequest } from "./registration.ts";
export type { NewOutputPart, OutputPart, OutputStream } from "./running_output.ts";
export type { JobFilter, ListedJob, ListFilter, Selection } from "./job_filter.ts";

/** The answer to {@link Store.exchange}. */
export interface Exchange {
  claims: Claim[];
  /** Keys (`seq`) of finished runs that were not recorded, because the job has another owner by now. */
  stale: number[];
  /** Keys of jobs it runs that are to be ended, because they were cancelled. */
  cancel: number[];
  /** Signals for what it runs, oldest first, until they are removed; perhaps also some for runs that have ended. */
  signals: SignalRequest[];
  stop: StopRequest | null;
}

/** A run whose command has begun, or never will. */
export type BegunRun = Pick<Claim, "seq" | "claim">;

/** A signal that somebody sends to the command of a run. */
export interface SignalRequest {
  id: number;
  seq: number;
  run: number;
  /** Like `SIGTERM`. */
  name: string;
}

/** Cancelled jobs; those of `running` are ended by their workers. */
export interface Cancelled extends Changed {
  running: string[];
}

/** A job and its run that goes on; `running` is null where there is none. */
export interface FoundRun {
  id: string;
  running: { seq: number; run: number } | null;
}

export interface Store extends AsyncDisposable {
  /** What other processes of this user open it by; it may hold a password. */
  readonly url: string;
  /** The same without a password: who uses it finds one elsewhere. */
  readonly urlWithoutPassword: string;
  /** Where the jobs are, as a person would name it, without any secret. */
  readonly location: string;
  /** False for one that only answers as an empty queue, because there is no database. */
  readonly exists: boolean;
  /**
   * Whether other hosts can work on the same queue: then a worker that cannot renew its lease has to end its commands
   * before that is over, and what they print is to be read from everywhere.
   */
  readonly shared: boolean;
  /** The folder of this host in which running commands leave their output. Throws `database` where there can be none. */
  readonly spool: string;
  /**
   * What no copy of this database has while the host is up, in words without spaces and commas: of two that are one, at least
   * one of these is the same.
   */
  readonly identities: readonly string[];
  /**
   * When its server was started, in milliseconds by the store's clock: a claim from before may be of another server, of which
   * this one is a copy. Not of files, whose copies have other places.
   */
  readonly begunAt?: number;
  /** Whether the database is still where it was at the first call: a file may be removed or replaced while it is used. */
  isInPlace(): boolean;
  /** Keeps some room of the disk for what removes and ends jobs when it is full, until it is needed. Not on a server. */
  makeReserve(): Promise<void>;

  /**
   * (new) → pending, all or none; what is to run later is not available before. Throws `conflict`, naming the ids that
   * exist. Where another job that has not ended has the unique key of a new one, `onDuplicate` decides: `reject` throws
   * `conflict`, `keep` leaves the new one out, `replace` makes pending or failed → cancelled of the other, and throws
   * `conflict` where that runs.
   */
  enqueue(jobs: readonly NewJob[]): Promise<Enqueued[]>;
  /** Collects jobs without a bound on their number or a lock on the queue, and adds them in one transaction. */
  intake(): Promise<Intake>;

  /**
   * In one transaction: records the finished runs (processing → what their `next` says) whose claim is still the
   * newest, makes jobs available that are due, and claims up to `want` jobs (pending or failed → processing,
   * attempts raised by one), highest priority first, oldest first, of the queues that the worker takes and that are not
   * paused, within the limits of each queue and of all together. The runs of `begun` are claims that a rate counts
   * ({@link Claim.rated}): from now on as begun now, before that as if they began at every moment.
   */
  exchange(
    worker: number,
    finished: readonly Finished[],
    want: number,
    begun?: readonly BegunRun[],
  ): Promise<Exchange>;
  /** What a worker of these queues (null, or nothing: of all) can expect, within all limits. */
  availability(queues?: readonly string[] | null): Promise<Availability>;
  /**
   * Whether a worker of these queues (null, or nothing: of all) still has something to expect without anybody's act:
   * jobs that run, or wait for a time, a place or a rate; not those of paused queues, held ones, nor, while nothing
   * runs, those that wait for others.
   */
  isWorkLeft(queues?: readonly string[] | null): Promise<boolean>;
  /**
   * Whether there may be something new for a worker since the last call: work, settings, or what was asked of it; costs
   * microseconds. A change by others is told within a second.
   */
  changed(): boolean;
  /**
   * Calls `wake` when there may be such a change, perhaps a moment before `changed` sees it, until what is returned is
   * called. Null where nobody tells: then `changed` has to be called often.
   */
  watch(wake: () => void): (() => void) | null;

  register(registration: Registration): Promise<number>;
  /** Renews the lease, with the jobs finished a minute; false when this process was declared gone and its jobs have another owner. */
  heartbeat(process: number, lease: number, pace?: number | null): Promise<boolean>;
  leave(process: number): Promise<void>;
  /**
   * After so many milliseconds (Infinity: as long as usual) nothing waits any more for a database that cannot be reached:
   * all that does throws, and everything after it. What was called last counts.
   */
  hasten(milliseconds: number): void;
  processes(): Promise<RegisteredProcess[]>;
  /**
   * Declares to be no more: `gone` processes, and those of `silent` whose lease is still over. Hands what they ran to
   * `worker` under a new claim number (processing → processing; attempts stay).
   */
  takeOver(worker: number, gone: readonly number[], silent: readonly number[]): Promise<Claim[]>;
  /**
   * Whether this run of the job is still the newest and not ended, on whichever host: what it left in the spool is still
   * needed. With `boot` false also where a worker of another boot or host has taken it over.
   */
  isRunning(seq: number, run: number, boot?: string): Promise<boolean>;
  /**
   * Forgets `gone` managers, asks all other processes (those of `hosts`, by the names in their identities) to stop, and
   * returns the managers that were asked.
   */
  requestStop(request: StopRequest, gone: readonly number[], hosts?: readonly string[]): Promise<number[]>;

  counts(): Promise<Record<JobState, number>>;
  /** How many jobs run, or wait for anything but their release: pending, processing and failed ones that are not held. */
  countOpen(): Promise<number>;
  /** How many of the jobs that are pending or failed cannot be claimed now, by what keeps them. */
  keptBack(): Promise<KeptBack>;
  /** The names of all queues there are. */
  queueNames(): Promise<string[]>;
  /** Up to `limit` of the tags that jobs have. */
  tagNames(limit: number): Promise<string[]>;
  /** How many jobs have become dead since the queue exists; it never goes down. */
  deaths(): Promise<number>;
  list(filter: ListFilter): Promise<ListedJob[]>;
  /** The keys of those jobs, in their order: a few bytes for each, so that the jobs can be read bit by bit. */
  keys(filter: ListFilter): Promise<number[]>;
  /** The same with the place of the last of them, where there are more: both of one moment. */
  pageOfKeys(filter: ListFilter): Promise<PageOfKeys>;
  /** What the last ended run of a job printed; null before there was one. One job at a time: it can be megabytes. */
  lastOutput(id: string): Promise<{ output: string; errorOutput: string } | null>;
  /**
   * Keeps what running commands have printed, until their ends are recorded. Only in a shared store: elsewhere nothing
   * is kept, because whoever can read the store can read the spool.
   */
  keepOutput(parts: readonly NewOutputPart[]): Promise<void>;
  /**
   * What was kept of a run that goes on, in the order it was printed; pieces may overlap. With `after`, only the pieces
   * that end behind these positions of the two outputs.
   */
  keptOutput(seq: number, run: number, after?: Record<OutputStream, number>): Promise<OutputPart[]>;
  /** A job, and whether it runs; the id may be a unique prefix. Throws `not_found`. */
  findRun(id: string): Promise<FoundRun>;
  /** How far the jobs are, in the order of the ids, each of which may be a unique prefix. Throws `not_found`. */
  find(ids: readonly string[]): Promise<JobProgress[]>;
  /** How far the jobs with these keys are, in no order, without those that are gone. */
  progress(seqs: readonly number[]): Promise<JobProgress[]>;
  /** What runs now, and up to `limit` jobs each of those that are claimed next and that are due next. */
  upcoming(limit: number): Promise<Upcoming>;
  /** The jobs with a key over this one that have run, or run now. */
  ranAfter(seq: number): Promise<JobProgress[]>;
  /** Everything about a job; the id may be a unique prefix. Throws `not_found`. */
  detail(id: string): Promise<JobDetail>;
  /** The first ended run of a job whose number is over `run`, with what it printed; null when there is none. */
  runAfter(seq: number, run: number): Promise<Attempt | null>;
  /** The attempts of a job, oldest first; the id may be a unique prefix. Throws `not_found`. */
  attempts(id: string): Promise<Attempt[]>;

  /**
   * pending or failed → cancelled; processing → cancelled once its worker has ended it, unless it completes before. All
   * that are named or none; throws `not_found` or `conflict`. Of a filter those in these states.
   */
  cancel(jobs: Selection): Promise<Cancelled>;
  /**
   * completed, failed, dead or cancelled → pending, attempts 0, error cleared, with these changes. All that are named or
   * none; throws `not_found` or `conflict`. Returns the ids. Throws `conflict` where two
   * jobs that have not ended would have one unique key. Of a filter those in these states that can be: of several with one
   * unique key the newest, none whose key another job has, none that waits for one that has failed.
   */
  retry(jobs: Selection, changes?: JobChanges): Promise<Changed>;
  /**
   * (any state but processing) → (gone), with all runs. All that are named or none; throws `not_found` or `conflict`. Of
   * a filter those that do not run. Returns the ids.
   */
  remove(jobs: Selection): Promise<Changed>;
  /**
   * Changes jobs that do not run; with `start` jobs that are pending or failed, and the time they wait for. All or none;
   * throws `not_found` or `conflict`. Returns the ids.
   */
  edit(jobs: readonly string[], changes: JobChanges, start?: Start): Promise<Changed>;
  /**
   * Leaves a signal for the commands of jobs that run; their workers deliver it, and so it is gone when they have ended.
   * All that are named or none; throws `not_found` or `conflict`. Returns the ids.
   */
  signal(jobs: Selection, name: string): Promise<Changed>;
  /** Forgets signals that were delivered. */
  removeSignals(ids: readonly number[]): Promise<void>;
  /**
   * Keeps pending and failed jobs from being claimed, also when their time comes. All that are named or none; throws
   * `not_found` or `conflict`. Returns the ids, also of those that were held already.
   */
  hold(jobs: Selection): Promise<Changed>;
  /** Undoes `hold`. All that are named or none; throws `not_found`, or `conflict` for one that is not held. */
  release(jobs: Selection): Promise<Changed>;
  /** As `retry`, of dead jobs alone. */
  dlqRetry(jobs: Selection, changes?: JobChanges): Promise<Changed>;
  /** As `remove`, of dead jobs alone. */
  dlqPurge(jobs: Selection): Promise<Changed>;

  /** Every problem found in the data, in words; reads all of it. */
  check(): Promise<string[]>;
  /** All that others than the user own in a database on a server or have made in it, in words; of a file its mode tells. */
  strangers(): Promise<string[]>;

  /** What is needed to move the whole queue to another store, or another one here; see transfer.ts. */
  moving(): Promise<Moving>;

  /** All queues by their names, with the numbers of their jobs; the first, without a name, is all of them together. */
  queues(): Promise<Queue[]>;
  /** The stored settings and, by their names, what queues have for new jobs, at one moment: what a new job is completed by. */
  enqueueDefaults(): Promise<{ settings: Array<[string, string]>; queues: Map<string, QueueDefaults> }>;
  /** Makes the queue where there is none, and changes what is given; what it limits counts once this has ended. */
  setQueue(name: string, changes: Partial<QueueSettings>): Promise<void>;
  /** Pauses queues, or has them go on: all that are named or none. Throws `not_found`. */
  pauseQueues(names: readonly string[], paused: boolean): Promise<void>;
  /** Removes a queue without jobs. Throws `not_found`, or `conflict`. */
  removeQueue(name: string): Promise<void>;
  /**
   * Puts jobs that do not run into another queue, which is made where there is none. All that are named or none; throws
   * `not_found` or `conflict`. Of a filter those that do not run. Returns the ids.
   */
  moveJobs(jobs: Selection, queue: string): Promise<Changed>;

  /** The stored settings: name and text. */
  settings(): Promise<Array<[string, string]>>;
  setSetting(name: string, value: string): Promise<void>;
  /** False when it was not set. */
  unsetSetting(name: string): Promise<boolean>;
}

/** How a store is opened. */
export interface OpenOptions {
  /** What to do where there is no database: create it, or answer as an empty queue without leaving anything behind. */
  missing: "create" | "empty";
  /**
   * Whether a change has to survive a power cut before it is acknowledged. Workers do without: losing their last few
   * results only repeats work.
   */
  durable: boolean;
  /** Use a database that other users have made or can write, who can so have commands run as this user. */
  allowShared?: boolean;
  /** Use a file that has other names, each with a log of its own: what is added by one may be lost to the others. */
  allowLinked?: boolean;
  /** Told of all of both; what others can only write is not refused then. */
  inspect?: (found: Exposure[]) => void;
  /** Milliseconds since 1970; for tests. */
  clock?: () => number;
  /** Told once when a database was created, or taken over from the Python program. */
  notify?: (message: string) => void;
  /** Told of each row that is damaged and left out where others are read, up to a bound; default: `notify`. */
  damaged?: (message: string) => void;
}
