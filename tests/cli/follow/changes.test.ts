import assert from "node:assert/strict";
import { changesOf } from "../../../src/cli/follow/changes.ts";

/** A store that never says that anything has changed. */
const silent = (shared: boolean) => ({ shared, changed: () => false, watch: () => () => {} });

Deno.test("changes: a shared store is asked although it tells of none", async () => {
  using changes = changesOf(silent(true));
  assert.equal(await changes.next(Infinity), true);
  assert.equal(await changes.next(Infinity), true);
});

Deno.test("changes: of a file there is none until it tells of one", async () => {
  using changes = changesOf(silent(false));
  assert.equal(await changes.next(300), false);
  let changed = true;
  using told = changesOf({ ...silent(false), changed: () => changed && !(changed = false) });
  assert.equal(await told.next(Infinity), true);
});

Deno.test("changes: hurry ends the pause", async () => {
  using changes = changesOf(silent(false));
  const next = changes.next(Infinity);
  changes.hurry();
  assert.equal(await next, false);
});
