/** Looking for changes: none is missed, and a store that tells of them is left in peace. */

import assert from "node:assert/strict";
import { watchChanges } from "../../src/worker/change_watch.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A store that changes when it is told to; `tells` says whether it can be watched. */
function changingStore(tells: boolean) {
  let version = 0;
  let seen = 0;
  let looks = 0;
  let wake: (() => void) | null = null;
  return {
    changed() {
      looks++;
      const changed = seen !== version;
      seen = version;
      return changed;
    },
    watch(call: () => void) {
      if (!tells) return null;
      wake = call;
      return () => void (wake = null);
    },
    change: () => void version++,
    announce: () => wake?.(),
    isWatched: () => wake !== null,
    looks: () => looks,
  };
}

for (const tells of [true, false]) {
  Deno.test(`every change is found in a store that ${tells ? "tells of them" : "has to be looked at"}`, async () => {
    const store = changingStore(tells);
    let found = 0;
    const end = watchChanges(store, () => found++);
    try {
      for (let change = 1; change <= 3; change++) {
        // Where nobody tells, it is found by looking on.
        if (tells) await waitFor("the store to be watched", store.isWatched);
        store.change();
        store.announce();
        await waitFor("the change to be found", () => found === change);
      }
    } finally {
      end();
    }
    assert.equal(found, 3);
    assert.ok(!store.isWatched());
  });
}

Deno.test("an announcement may come before the change can be seen", async () => {
  const store = changingStore(true);
  let found = 0;
  const end = watchChanges(store, () => found++);
  try {
    await waitFor("the store to be watched", store.isWatched);
    const looks = store.looks();
    store.announce();
    assert.ok(!store.isWatched(), "every write of a busy store would be announced");
    await waitFor("a second look", () => store.looks() > looks + 1);
    store.change();
    await waitFor("the change to be found", () => found === 1);
    await waitFor("the store to be watched again", store.isWatched);
  } finally {
    end();
  }
});

Deno.test("a store that cannot be looked at counts as changed", async () => {
  const unreachable = {
    changed(): boolean {
      throw new Error("gone");
    },
    watch: () => null,
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = watchChanges(unreachable, resolve);
  await promise;
  end();
});
