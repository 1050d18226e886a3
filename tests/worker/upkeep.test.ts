/** The search index is extended by managers, step by step. */

import assert from "node:assert/strict";
import { startUpkeep } from "../../src/worker/upkeep.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";

const pauses = { first: 0, idle: 1, failure: 1 };

Deno.test("upkeep: steps follow one another, whatever they come to, until it is stopped", async () => {
  const failure = new Error("out of reach");
  const outcomes = [true, true, false, failure, failure, failure, false, true];
  const problems: string[] = [];
  const ended = Promise.withResolvers<void>();
  let [steps, underway] = [0, 0];
  const stop = startUpkeep(
    {
      async extendSearchIndex() {
        assert.equal(underway++, 0);
        await Promise.resolve();
        underway--;
        const outcome = outcomes[steps++ % outcomes.length];
        if (steps === 2 * outcomes.length) ended.resolve();
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
    ({ message }) => problems.push(message),
    pauses,
  );
  await ended.promise;
  // Resolves only where no step follows any more.
  await stop();
  // Once each time, however often it was tried.
  assert.deepEqual(problems, ["out of reach", "out of reach"]);
});

Deno.test("upkeep: stopping waits for the step underway", async () => {
  const [begun, step] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
  const stop = startUpkeep(
    {
      extendSearchIndex() {
        begun.resolve();
        return step.promise;
      },
    },
    () => {},
    pauses,
  );
  await begun.promise;
  let isStopped = false;
  const stopped = stop().then(() => isStopped = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isStopped, false);
  step.resolve(true);
  await stopped;
});

queueTest("a manager signs what has come before it", async (queue) => {
  using intake = await queue.store.intake();
  intake.add(Array.from({ length: 2100 }, (_, number) => newJob(`job-${number}`, { held: true })));
  await intake.commit();
  const signed = async () =>
    Number(
      (await queue.place.query("SELECT count(*) AS n FROM text_signatures WHERE signature IS NOT NULL"))[0].n,
    );
  assert.equal(await signed(), 0);
  queue.start("--count", "1");
  await waitFor("two parts to be signed", async () => await signed() === 8);
  assert.deepEqual((await queue.store.list({ search: "job-1234", limit: 5 })).map(({ id }) => id), [
    "job-1234",
  ]);
  assert.deepEqual(await queue.store.check(), []);
});
