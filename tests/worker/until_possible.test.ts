import assert from "node:assert/strict";
import { QueuectlError } from "../../src/base/errors.ts";
import { untilPossible } from "../../src/worker/host/until_possible.ts";

Deno.test("what the system refuses is tried again; what a user has to change first is told", async () => {
  let refusals = 1;
  const action = () => {
    if (refusals-- > 0) throw new Error("no process to spare");
    return "done";
  };
  assert.equal(await untilPossible(action), "done");
  const missing = new QueuectlError("usage", "From source queuectl needs …");
  await assert.rejects(untilPossible(() => Promise.reject(missing)), missing);
});
