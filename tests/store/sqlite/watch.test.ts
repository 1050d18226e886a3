/** Being told of changes to a file. */

import assert from "node:assert/strict";
import { openStore } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import { newJob } from "../suite/harness.ts";

Deno.test({
  name: "sqlite: one watch of the system serves a store for as long as it is open",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/queue.db`;
    await using writer = await openStore(file, { missing: "create", durable: false });
    await using store = await openStore(file, { missing: "create", durable: false });
    const { watchFs } = Deno;
    let opened = 0;
    Deno.watchFs = (...args) => {
      opened++;
      return watchFs(...args);
    };
    using _ = { [Symbol.dispose]: () => Deno.watchFs = watchFs };
    for (let turn = 1; turn <= 3; turn++) {
      let woken = false;
      store.changed();
      const unwatch = store.watch(() => woken = true);
      assert.ok(unwatch);
      await writer.enqueue([newJob(`a${turn}`)]);
      await waitFor("the change to be told", () => woken && store.changed());
      unwatch();
      // More than the system keeps for somebody who does not read.
      for (let job = 1; job <= 40; job++) await writer.enqueue([newJob(`b${turn}.${job}`)]);
      woken = false;
      await writer.enqueue([newJob(`c${turn}`)]);
      assert.equal(woken, false);
    }
    assert.equal(opened, 1);
  },
});
