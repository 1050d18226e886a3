/** The steps that model.test.ts takes in random order, on the model and on a store at once. */

import assert from "node:assert/strict";
import type fc from "fast-check";
import { QueuectlError } from "../../src/base/errors.ts";
import {
  type Claim,
  type Job,
  type JobState,
  jobStates,
  type NewJob,
  type Outcome,
} from "../../src/job/job.ts";
import { type JobKind, jobViews } from "../../src/store/job_filter.ts";
import type { Store } from "../../src/store/store.ts";
import type { Model, ModelJob } from "./model.ts";
import { type Clock, finished, join, lease } from "./suite/harness.ts";

/** A store with what the workers of the test hold: their registrations and every claim they ever got. */
export interface Real {
  store: Store;
  clock: Clock;
  /** The registration of each worker of the test, by its place. */
  workers: Array<number | undefined>;
  claims: Array<{ claim: Claim; /** The `seq` of the model's job. */ key: number }>;
}

type Command = fc.AsyncCommand<Model, Real>;

/** A step with its name, which is what a counterexample shows. */
function command(name: string, body: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await body(model, real);
      await assertAgreed(model, real);
    },
    toString: () => name,
  };
}

async function assertAgreed(model: Model, { store, clock }: Real): Promise<void> {
  const now = clock.now();
  // Whether a time that has come is cleared before the claim is up to the store.
  const waits = (time: number | null) => time !== null && time > now ? time : null;
  const view = (job: Job) => {
    const { id, state, attempts, priority, createdAt, updatedAt, lastError, nextAttemptAt, held } = job;
    return [id, state, attempts, priority, createdAt, updatedAt, lastError, waits(nextAttemptAt), held];
  };
  assert.deepEqual((await store.list({ limit: 1000 })).map(view), model.jobs().map(view));
  for (const kind of [...jobStates, ...jobViews] as JobKind[]) {
    const listed = await store.list({ kinds: [kind], limit: 1000 });
    assert.deepEqual(listed.map(({ id }) => id), model.listed([kind], now), kind);
  }
  const tagged = await store.list({ tags: ["t"], queues: ["q"], limit: 1000 });
  const expectedTagged = model.jobs().filter(({ tags, queue }) => tags.includes("t") && queue === "q");
  assert.deepEqual(tagged.map(({ id }) => id), expectedTagged.map(({ id }) => id));
  assert.deepEqual(await store.counts(), model.counts());
  assert.equal(await store.deaths(), model.died());
  for (const job of model.jobs()) {
    const kept = (await store.attempts(job.id)).map(({ run, number, outcome }) => ({ run, number, outcome }));
    assert.deepEqual(kept, job.attemptsKept);
  }
  const { ready, dueIn } = await store.availability();
  const expected = model.availability(now);
  // The time of a held job comes too, and only the claim finds that it is held.
  const isHeldDue = model.jobs().some((job) => job.held && (job.nextAttemptAt ?? Infinity) <= now);
  assert.equal(ready || dueIn === 0 && !(isHeldDue && !expected.ready), expected.ready);
  if (dueIn !== 0) assert.equal(dueIn, expected.dueIn);
}

/** The registration of a worker, which announces itself again when it was declared gone. */
async function registered(model: Model, real: Real, place: number): Promise<number> {
  const known = real.workers[place];
  if (known !== undefined && model.leases.has(known)) return known;
  const id = real.workers[place] = await join(real.store);
  model.leases.set(id, real.clock.now() + lease);
  return id;
}

/** Compares claims with those of the model, and keeps them for the results to come. */
function receive(real: Real, claims: readonly Claim[], expected: readonly ModelJob[]): void {
  assert.deepEqual(
    claims.map(({ id, claim, run, attempt, startedAt }) => ({ id, claim, run, attempt, startedAt })),
    expected.map(({ id, claim, run, attempts, startedAt }) => ({
      id,
      claim,
      run,
      attempt: attempts,
      startedAt,
    })),
  );
  real.claims.push(...claims.map((claim, index) => ({ claim, key: expected[index].seq })));
}

export const enqueue = (jobs: NewJob[]): Command =>
  command(`enqueue ${jobs.map((job) => `${job.id}(${job.priority})`)}`, async (model, { store, clock }) => {
    const taken = model.enqueue(jobs, clock.now());
    const added = await store.enqueue(jobs).then(() => true, (error) => {
      assert.ok(error instanceof QueuectlError && error.code === "conflict", String(error));
      return false;
    });
    assert.equal(added, taken);
  });

/** Results of claims chosen among all there ever were, so also of stale ones, and new claims. */
export const exchange = (
  place: number,
  results: Array<{ pick: number; outcome: Outcome }>,
  want: number,
): Command =>
  command(`exchange by ${place}: ${JSON.stringify(results)}, want ${want}`, async (model, real) => {
    const worker = await registered(model, real, place);
    const now = real.clock.now();
    // The newest claims are chosen most often: the older ones are nearly all stale.
    const held = real.claims.length === 0 ? [] : results;
    const reports = held.map(({ pick, outcome }) => {
      const { claim, key } = real.claims.at(-1 - pick % real.claims.length)!;
      return { key, report: finished(claim, outcome) };
    });
    const stale = reports.filter(({ key, report }) => !model.finish(key, report, now));
    const expected = model.claim(worker, want, now);
    const answer = await real.store.exchange(worker, reports.map(({ report }) => report), want);
    assert.deepEqual(answer.stale, stale.map(({ report }) => report.seq));
    receive(real, answer.claims, expected);
  });

export const pass = (milliseconds: number): Command =>
  command(`pass ${milliseconds} ms`, (_model, { clock }) => Promise.resolve(clock.advance(milliseconds)));

export const heartbeat = (place: number): Command =>
  command(`heartbeat of ${place}`, async (model, { store, clock, workers }) => {
    const id = workers[place];
    if (id === undefined) return;
    assert.equal(await store.heartbeat(id, lease), model.leases.has(id));
    if (model.leases.has(id)) model.leases.set(id, clock.now() + lease);
  });

export const leave = (place: number): Command =>
  command(`leave of ${place}`, async (model, { store, workers }) => {
    const id = workers[place];
    if (id === undefined) return;
    await store.leave(id);
    model.leases.delete(id);
  });

/** Workers are lost, and another takes over what they and those with an ended lease ran. */
export const takeOver = (place: number, lost: number[]): Command =>
  command(`takeOver by ${place} from ${lost}`, async (model, real) => {
    const heir = await registered(model, real, place);
    const gone = lost.flatMap((other) => real.workers[other] ?? []).filter((id) => id !== heir);
    const expected = model.takeOver(heir, gone, real.clock.now());
    const silent = real.workers.flatMap((id) => id ?? []).filter((id) => id !== heir);
    const claims = await real.store.takeOver(heir, gone, silent);
    receive(real, claims.toSorted((a, b) => a.seq - b.seq), expected);
  });

export const cancel = (id: string): Command =>
  command(`cancel ${id}`, async (model, { store, clock }) => {
    const expected = model.cancel(id, clock.now());
    const done = await store.cancel([id]).then(() => true, (error) => {
      assert.ok(error instanceof QueuectlError && /conflict|not_found/.test(error.code), String(error));
      return false;
    });
    assert.equal(done, expected);
  });

/** Holds jobs, or lets them go: one, or with null all that can be. */
export const hold = (operation: "hold" | "release", id: string | null): Command =>
  command(`${operation} ${id ?? "all"}`, async (model, { store, clock }) => {
    const expected = model.hold(operation === "hold", id, clock.now());
    const changed = await store[operation](id === null ? "all" : [id]).then(({ ids }) => ids, (error) => {
      assert.ok(error instanceof QueuectlError && /conflict|not_found/.test(error.code), String(error));
      return [];
    });
    assert.deepEqual(changed, expected);
  });

/** The operations that give jobs back, or take them away, and the states that they are about. */
const operations = {
  retry: ["completed", "failed", "dead", "cancelled"],
  remove: ["pending", "completed", "failed", "dead", "cancelled"],
  dlqRetry: ["dead"],
  dlqPurge: ["dead"],
} as const;

export type Operation = keyof typeof operations;

/** All jobs of some states that the operation is about. */
export const changeAll = (operation: Operation, states: readonly JobState[]): Command =>
  command(`${operation} of all ${states}`, async (model, { store, clock }) => {
    const chosen = operations[operation].filter((state) => states.includes(state));
    const expected = operation.endsWith("etry")
      ? model.retry(chosen, null, clock.now())
      : model.remove(chosen, null);
    assert.deepEqual((await store[operation]({ kinds: states })).ids, expected);
  });

/** One job, or none where it is of another state. */
export const changeOne = (operation: Operation, id: string): Command =>
  command(`${operation} ${id}`, async (model, { store, clock }) => {
    const expected = operation.endsWith("etry")
      ? model.retry(operations[operation], id, clock.now())
      : model.remove(operations[operation], id);
    const changed = await store[operation]([id]).then(({ ids }) => ids, (error) => {
      assert.ok(error instanceof QueuectlError && /conflict|not_found/.test(error.code), String(error));
      return [];
    });
    assert.deepEqual(changed, expected);
  });
