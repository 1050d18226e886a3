import assert from "node:assert/strict";
import { startHeartbeat } from "../../src/worker/lease/heartbeat.ts";

/** A heartbeat whose beats end when the test says so. */
function heartbeat() {
  const beats: PromiseWithResolvers<void>[] = [];
  const problems: string[] = [];
  const { beatNow, stop } = startHeartbeat(
    () => 3_600_000,
    () => {
      beats.push(Promise.withResolvers());
      return beats.at(-1)!.promise;
    },
    ({ message }) => problems.push(message),
  );
  return { beats, problems, beatNow, stop };
}

/** Whether a promise has resolved, once everything that could resolve it now has run. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  promise.then(() => over = true);
  await new Promise((resolve) => setTimeout(resolve));
  return over;
}

Deno.test("heartbeat: stop waits for the beat underway, and no other one begins", async () => {
  const { beats, beatNow, stop } = heartbeat();
  beatNow();
  beatNow();
  const stopped = stop();
  assert.equal(await isOver(stopped), false);
  beats[0].resolve();
  await stopped;
  assert.equal(beats.length, 1);
});

Deno.test("heartbeat: stop at rest is over at once", async () => {
  const { beats, stop } = heartbeat();
  await stop();
  assert.equal(beats.length, 0);
});

Deno.test("heartbeat: a beat asked for while another one is underway comes after it", async () => {
  const { beats, beatNow, stop } = heartbeat();
  beatNow();
  beatNow();
  assert.equal(beats.length, 1);
  beats[0].resolve();
  await isOver(beats[0].promise);
  assert.equal(beats.length, 2);
  beats[1].resolve();
  await stop();
});

Deno.test("heartbeat: what a beat throws is told, and stopping does not throw it", async () => {
  const { beats, problems, beatNow, stop } = heartbeat();
  beatNow();
  const stopped = stop();
  beats[0].reject(new Error("no answer"));
  await stopped;
  assert.deepEqual(problems, ["no answer"]);
});
