import assert from "node:assert/strict";
import { createClaimPause } from "../../src/worker/claim_pause.ts";

Deno.test("a refusal pauses claims; those of the same moment count once, and a success makes it short again", async () => {
  const over = Promise.withResolvers<void>();
  const pause = createClaimPause(over.resolve);
  assert.ok(pause.isOver());
  assert.equal(pause.refuse(), 1000);
  assert.equal(pause.refuse(), 1000);
  assert.ok(!pause.isOver());
  await over.promise;
  assert.ok(pause.isOver());
  let second = Promise.withResolvers<void>();
  const doubling = createClaimPause(() => second.resolve());
  doubling.refuse();
  await second.promise;
  second = Promise.withResolvers();
  assert.equal(doubling.refuse(), 2000);
  await second.promise;
  doubling.reset();
  second = Promise.withResolvers();
  assert.equal(doubling.refuse(), 1000);
  await second.promise;
});
