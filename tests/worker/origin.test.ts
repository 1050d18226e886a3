import assert from "node:assert/strict";
import type { Snapshot } from "../../src/worker/host/platform.ts";
import { isForeign, isOfOther } from "../../src/worker/lease/origin.ts";

const run = { pid: 20, start: "2", boot: "b", claim: "1.1.mark", runner: "mark" };
const entry = { group: 0, startOrder: 0, zombie: false };
const snapshot: Snapshot = {
  boot: "b",
  namespace: "",
  processes: new Map([[20, { ...entry, pid: 20, parent: 10, start: "2" }]]),
  carriers: new Set(),
  forks: new Set(),
  strangers: new Set(),
  marks: new Map(),
};
const from = (database: string[], worker = 10) => ({ ...run, origin: { worker, database } });

Deno.test("a run is of the database with which it has any identity in common, and of an older queuectl of any", () => {
  const identities = ["5:7", "%2Fqueuectl.db"];
  assert.ok(!isOfOther(run, identities));
  assert.ok(!isOfOther(from(["5:7", "%2Fbefore.db"]), identities));
  assert.ok(!isOfOther(from(["5:8", "%2Fqueuectl.db"]), identities));
  assert.ok(isOfOther(from(["5:8", "%2Fcopy%2Fqueuectl.db"]), identities));
});

Deno.test("what runs is a copy's only where no worker of its own lives: of a server that was started anew", () => {
  const file = { identities: ["5:7"], shared: false };
  const server = { identities: ["now"], shared: true };
  assert.ok(isForeign(from(["5:8"]), file, snapshot));
  // Whoever has it as its child by now is another process.
  assert.ok(isForeign(from(["5:8"], 11), file, snapshot));
  assert.ok(isForeign(from(["before"]), server, snapshot));
  assert.ok(!isForeign(from(["before"], 11), server, snapshot));
  assert.ok(!isForeign(from(["now"]), server, snapshot));
});
