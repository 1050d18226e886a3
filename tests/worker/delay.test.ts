import assert from "node:assert/strict";
import { countDown, delay } from "../../src/base/delay.ts";

Deno.test("a delay is over when it should be, not before", async () => {
  const before = performance.now();
  await delay(30);
  assert.ok(performance.now() - before >= 30);
  await delay(0);
  await delay(-1);
});

Deno.test("a delay that is aborted is over at once, and leaves no timer or listener behind", async () => {
  const controller = new AbortController();
  // Longer than a timer takes: without care it would be over at once.
  const waiting = delay(2 ** 40, controller.signal).then(() => "over");
  assert.equal(await Promise.race([waiting, delay(50).then(() => "still waiting")]), "still waiting");
  controller.abort();
  assert.equal(await waiting, "over");
  await delay(2 ** 40, controller.signal);
  await delay(2 ** 40, AbortSignal.abort());
});

Deno.test("a countdown stands still while it is paused, and runs out once", async () => {
  let over = 0;
  const left = Promise.withResolvers<void>();
  const paused = countDown(20, () => {
    over++;
    left.resolve();
  });
  paused.pause();
  paused.pause();
  await delay(50);
  assert.equal(over, 0);
  paused.resume();
  paused.resume();
  await left.promise;
  paused.pause();
  paused.resume();
  const ended = countDown(1, () => over++);
  ended.stop();
  ended.resume();
  const late = countDown(-5, () => over++);
  await delay(20);
  assert.equal(over, 2);
  late.stop();
});
