import assert from "node:assert/strict";
import type { Finished, NextStep } from "../../src/job/job.ts";
import { workerLine } from "../../src/worker/host/log.ts";
import { describeFinished } from "../../src/worker/messages.ts";

const result = (next: NextStep): Finished => ({
  seq: 1,
  queue: "default",
  claim: 1,
  run: 1,
  attempt: 1,
  startedAt: 0,
  outcome: { kind: "exited", code: 0 },
  output: "",
  errorOutput: "",
  next,
});

Deno.test("workers say what the original program said", () => {
  const cases: Array<[NextStep | null, string]> = [
    [{ state: "completed" }, "job a completed successfully"],
    [{ state: "failed", delay: 2000, error: "x" }, "job a failed, retry in 2s"],
    [{ state: "failed", delay: 0, error: "x" }, "job a failed, retry in 0s"],
    [{ state: "failed", delay: 1500, error: "x" }, "job a failed, retry in 1.5s"],
    [{ state: "dead", error: "x" }, "job a moved to DLQ"],
    [
      { state: "dead", error: "x", reason: "exit status 3 is not retried" },
      "job a moved to DLQ: exit status 3 is not retried",
    ],
    [{ state: "pending" }, "job a handed back to the queue"],
    [{ state: "pending", delay: 2000, error: "x" }, "job a asks for a later try, in 2s"],
    [null, "job a belongs to another worker now, this result is dropped"],
  ];
  for (const [next, text] of cases) assert.equal(describeFinished("a", next && result(next)), text);
});

Deno.test("a worker's line has the local time and its number", () => {
  assert.equal(workerLine(2, "started", new Date(2025, 0, 1, 3, 4, 5)), "[03:04:05] Worker-2: started");
});
