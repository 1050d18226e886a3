/** Random graphs of jobs that wait for one another, and random ends, cancels, retries and removals of them. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { QueuectlError } from "../../src/base/errors.ts";
import type { Claim, JobState, NewJob, NextStep } from "../../src/job/job.ts";
import type { Store } from "../../src/store/store.ts";
import { driverTest } from "../helpers/driver_test.ts";
import { drivers } from "../helpers/drivers.ts";
import { createGraph, type Graph } from "./dependency_model.ts";
import { failure, finished, join, manualClock, newJob, success } from "./suite/harness.ts";

const lease = 3_600_000;
const ends: Record<string, NextStep> = {
  completed: { state: "completed" },
  dead: { state: "dead", error: "x" },
  failed: { state: "failed", delay: 0, error: "x" },
  pending: { state: "pending" },
};

/** One step: what is done, to which jobs, by their place among those there are. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ add: fc.array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 5 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      want: fc.nat(4),
      ends: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Object.keys(ends))), { maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ retry: fc.array(fc.nat(), { maxLength: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ retryAll: fc.subarray<JobState>(["completed", "failed", "dead", "cancelled"]) }),
  },
  { weight: 1, arbitrary: fc.record({ cancel: fc.array(fc.nat(), { maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.array(fc.nat(), { maxLength: 2 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Takes the same steps in a store and on the model. */
function createWalk(store: Store, worker: number, graph: Graph) {
  let made = 0;
  const running = new Map<string, Claim>();
  const pick = (places: readonly number[]) => {
    const ids = graph.ids();
    return ids.length === 0 ? [] : [...new Set(places.map((place) => ids[place % ids.length]))];
  };
  const allowed = async (done: Promise<unknown>) =>
    await done.then(() => true, (error) => {
      assert.ok(error instanceof QueuectlError && error.code === "conflict", String(error));
      return false;
    });

  async function add(parents: readonly number[][]): Promise<void> {
    // Who is waited for is older, or comes before in a list that is then turned round.
    const known = graph.ids();
    const jobs: NewJob[] = parents.map((places) => {
      const id = `j${made++}`;
      const named = known.length === 0 ? [] : places.map((place) => known[place % known.length]);
      known.push(id);
      const afterAny = named.filter((_, index) => places[index] % 3 === 0);
      const after = named.filter((_, index) => places[index] % 3 > 0);
      return newJob(id, { after, afterAny, held: places[0] % 7 === 6 });
    }).toReversed();
    await store.enqueue(jobs);
    graph.add(jobs);
  }

  async function exchange(want: number, results: ReadonlyArray<[number, string]>): Promise<void> {
    const open = [...running.keys()];
    const chosen = new Map(
      open.length === 0 ? [] : results.map(([place, end]) => [open[place % open.length], end]),
    );
    const reports = [...chosen].map(([id, end]) =>
      finished(running.get(id)!, end === "completed" ? success : failure, { next: ends[end] })
    );
    // All of one exchange end at the same moment: who waits again by then is cancelled with its parent.
    const waitAgain = ([, end]: [string, string]) => end === "pending" || end === "failed" ? 0 : 1;
    for (const [id, end] of [...chosen].sort((a, b) => waitAgain(a) - waitAgain(b))) {
      running.delete(id);
      graph.end(id, end as JobState);
    }
    const { claims } = await store.exchange(worker, reports, want);
    assert.equal(claims.length, Math.min(want, graph.ready().length));
    for (const run of claims) {
      assert.ok(graph.ready().includes(run.id), `${run.id} is claimed too early`);
      graph.begin(run.id);
      running.set(run.id, run);
    }
  }

  return async (step: Step): Promise<void> => {
    if ("add" in step) await add(step.add);
    else if ("want" in step) await exchange(step.want, step.ends);
    else if ("retry" in step) {
      const ids = pick(step.retry);
      assert.equal(await allowed(store.retry(ids)), graph.retry(ids, true), `retry ${ids}`);
    } else if ("retryAll" in step) {
      await store.retry({ kinds: step.retryAll });
      graph.retry(graph.ids().filter((id) => step.retryAll.includes(graph.state(id))), false);
    } else if ("cancel" in step) {
      const ids = pick(step.cancel);
      assert.equal(await allowed(store.cancel(ids)), graph.cancel(ids), `cancel ${ids}`);
    } else {
      const ids = pick(step.remove);
      assert.equal(await allowed(store.remove(ids)), graph.remove(ids), `remove ${ids}`);
    }
    const listed = await store.list({ limit: 1000 });
    assert.deepEqual(
      Object.fromEntries(listed.map(({ id, state, blocked }) => [id, `${state} ${blocked}`])),
      graph.view(),
    );
    const waiting = (await store.list({ kinds: ["waiting"], limit: 1000 })).map(({ id }) => id);
    assert.deepEqual(waiting.toSorted(), graph.ready().toSorted());
  };
}

const runs = { sqlite: 60, postgres: 20 };

for (const driver of drivers) {
  driverTest(
    driver,
    "jobs of any graph wait, run, are cancelled and come back as the model says",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
          const clock = manualClock();
          await using database = await driver.open(clock.now);
          const store = await database.connect();
          const walk = createWalk(store, await join(store, { lease }), createGraph());
          for (const [index, step] of steps.entries()) {
            await walk(step);
            // It takes longer than the step.
            if (index % 5 === 4 || index === steps.length - 1) assert.deepEqual(await store.check(), []);
          }
        }),
        { numRuns: runs[driver.name] },
      );
    },
  );
}
