import assert from "node:assert/strict";
import { changesOf } from "../../../src/cli/follow/changes.ts";
import { told } from "../../store/suite/harness.ts";

/** A store that never says that anything has changed. */
const silent = (shared: boolean) => ({
  shared,
  location: "queue",
  changed: () => false,
  watch: () => () => {},
  isInPlace: () => true,
});

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

Deno.test("changes: whoever waits for one is told that the database is not in its place any more", async () => {
  let isInPlace = true;
  using changes = changesOf({ ...silent(false), isInPlace: () => isInPlace });
  const next = changes.next(Infinity);
  isInPlace = false;
  await assert.rejects(next, told("database", "queue", "was removed"));
});
