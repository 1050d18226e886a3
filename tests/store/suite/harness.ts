/** What the cases of the store suite are made of: a database of their own, a clock, jobs and results. */

import assert from "node:assert/strict";
import { QueuectlError } from "../../../src/base/errors.ts";
import { nextStep, type RetryPolicy } from "../../../src/job/backoff.ts";
import {
  type Claim,
  type Finished,
  type Job,
  jobStates,
  type NewJob,
  type Outcome,
} from "../../../src/job/job.ts";
import type { Registration, Store } from "../../../src/store/store.ts";
import { driverTest } from "../../helpers/driver_test.ts";

/** One database of a test; disposing of it closes every connection and removes it. */
export interface TestDatabase extends AsyncDisposable {
  /** Opens one more connection to the same database. */
  connect(): Promise<Store>;
}

/** Makes an empty database whose stores take their time from `clock`: what a driver gives to the suite. */
export type OpenDatabase = (clock: () => number) => Promise<TestDatabase>;

/** What a case gets. */
export interface Subject {
  store: Store;
  connect(): Promise<Store>;
  clock: Clock;
}

/** A clock that only the test moves. */
export interface Clock {
  now(): number;
  advance(milliseconds: number): void;
  /** From now on it goes on by so much whenever it is looked at. */
  advanceByLook(milliseconds: number): void;
}

export function manualClock(): Clock {
  let time = Date.UTC(2030, 0, 1);
  let byLook = 0;
  return {
    now: () => time += byLook,
    advance: (milliseconds) => void (time += milliseconds),
    advanceByLook: (milliseconds) => void (byLook = milliseconds),
  };
}

/** Registers a case that gets a database of its own. */
export type Case = (name: string, body: (subject: Subject) => Promise<void>) => void;

/** The way to register cases for one driver; with `ignore` they are only counted. */
export function casesFor(driver: string, open: OpenDatabase, ignore = false): Case {
  return (name, body) =>
    driverTest({ name: driver, ignore }, name, async () => {
      const clock = manualClock();
      await using database = await open(clock.now);
      const store = await database.connect();
      await body({ store, connect: database.connect, clock });
      await assertCounted(store);
      assert.deepEqual(await store.check(), []);
    });
}

/** The counts of the store are those of its list; checked after every case. */
export async function assertCounted(store: Store): Promise<void> {
  const jobs = await store.list({ limit: 1_000_000 });
  const counted = Object.groupBy(jobs, (job) => job.state);
  assert.deepEqual(
    await store.counts(),
    Object.fromEntries(jobStates.map((state) => [state, counted[state]?.length ?? 0])),
  );
}

export function newJob(id: string, fields: Partial<NewJob> = {}): NewJob {
  return {
    id,
    command: `echo ${id}`,
    attempts: 0,
    maxRetries: 3,
    priority: 0,
    timeout: null,
    baseBackoff: null,
    cwd: null,
    env: null,
    ...fields,
  };
}

/** What a stored job has that was put in with none of the fields that only some jobs have. */
export const plainFields = {
  queue: "default",
  tags: [],
  uniqueKey: null,
  retryRules: null,
  held: false,
  blocked: 0,
};

export const newJobs = (...ids: string[]): NewJob[] => ids.map((id) => newJob(id));

export const lease = 30_000;

/** Registers a worker (or a manager), of a process that nobody else has. */
export async function join(store: Store, fields: Partial<Registration> = {}): Promise<number> {
  const pid = 1_000_000 + Math.floor(Math.random() * 1_000_000_000);
  const identity = { host: "host", boot: "boot", pid, start: `start of ${pid}` };
  return await store.register({
    role: "worker",
    manager: null,
    number: 1,
    concurrency: 1,
    identity,
    lease,
    ...fields,
  });
}

export const success: Outcome = { kind: "exited", code: 0 };
export const failure: Outcome = { kind: "exited", code: 1 };
export const handedBack: Outcome = { kind: "handed_back" };
/** The exit status that asks for a later try. */
export const later: Outcome = { kind: "exited", code: 75 };

/** The result of a run, with what a worker would decide about it (base 2, at most an hour). */
export function finished(claim: Claim, outcome: Outcome, fields: Partial<Finished> = {}): Finished {
  const { seq, queue, run, attempt, startedAt, maxRetries } = claim;
  const policy: RetryPolicy = {
    attempts: attempt,
    maxRetries,
    backoff: "exponential",
    baseBackoff: claim.baseBackoff ?? 2,
    maxBackoff: 3_600_000,
    jitter: 0,
    postponed: claim.postponed,
    ...claim.retryRules,
  };
  const next = nextStep(outcome, `error of ${claim.id}`, policy, 0);
  return {
    seq,
    queue,
    claim: claim.claim,
    run,
    attempt,
    startedAt,
    outcome,
    output: "",
    errorOutput: "",
    next,
    ...fields,
  };
}

/** Claims up to `want` jobs. */
export async function claim(store: Store, worker: number, want = 1): Promise<Claim[]> {
  return (await store.exchange(worker, [], want)).claims;
}

/** Claims the next job, which has to be there. */
export async function claimOne(store: Store, worker: number): Promise<Claim> {
  const [claimed] = await claim(store, worker);
  assert.ok(claimed, "no job could be claimed");
  return claimed;
}

/** Records how a run ended, which has to be the newest. */
export async function end(store: Store, worker: number, run: Claim, outcome: Outcome): Promise<void> {
  const begun = run.rated ? [run] : [];
  assert.deepEqual((await store.exchange(worker, [finished(run, outcome)], 0, begun)).stale, []);
}

/** Puts jobs into the dead letter queue of an otherwise idle store. */
export async function addDead(store: Store, ...ids: string[]): Promise<void> {
  const worker = await join(store);
  await store.enqueue(ids.map((id) => newJob(id, { maxRetries: 0, priority: 1000 })));
  for (const run of await claim(store, worker, ids.length)) await end(store, worker, run, failure);
  await store.leave(worker);
}

export async function jobById(store: Store, id: string): Promise<Job> {
  const job = (await store.list({ limit: 1_000_000 })).find((job) => job.id === id);
  assert.ok(job, `no job ${id}`);
  return job;
}

/** What the last ended run of a job printed, which there has to be. */
export async function printed(store: Store, id: string): Promise<{ output: string; errorOutput: string }> {
  const last = await store.lastOutput(id);
  assert.ok(last, `no output of ${id}`);
  return { output: last.output, errorOutput: last.errorOutput };
}

export const ids = (claims: readonly { id: string }[]): string[] => claims.map(({ id }) => id);

/** The error is of that kind and tells the user in one line, which holds every one of `parts`. */
export const told = (code: QueuectlError["code"], ...parts: string[]) => (error: unknown): true => {
  assert.ok(
    error instanceof QueuectlError,
    `not an error for the user: ${error instanceof Error ? error.stack : error}`,
  );
  assert.equal(error.code, code, error.message);
  assert.ok(!error.message.includes("\n"), error.message);
  // What a test makes of a path has slashes of both kinds on Windows.
  const plain = (text: string) => Deno.build.os === "windows" ? text.replaceAll("\\", "/") : text;
  for (const part of parts) {
    assert.ok(plain(error.message).includes(plain(part)), `"${part}" is not in: ${error.message}`);
  }
  return true;
};
