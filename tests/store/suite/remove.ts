/** Removing jobs for good. */

import assert from "node:assert/strict";
import { addOneOfEach } from "./every_state.ts";
import { type Case, claim, end, ids, jobById, newJobs, success, told } from "./harness.ts";

export function removeCases(test: Case): void {
  test("remove takes jobs of every state but processing, with their runs; their ids are free again", async (subject) => {
    const { store } = subject;
    const { worker } = await addOneOfEach(subject);
    const names = ["dead", "completed", "failed", "due", "cancelled", "pending"];
    assert.deepEqual((await store.remove(names)).ids, names);
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["processing"]);
    for (const name of names) await assert.rejects(store.attempts(name), told("not_found", name));
    assert.equal(await store.deaths(), 1);
    await store.enqueue(newJobs("completed"));
    assert.deepEqual(await store.attempts("completed"), []);
    assert.deepEqual(ids(await claim(store, worker, 9)), ["completed"]);
  });

  test("remove of a job that runs is a conflict that says to cancel it, and removes none", async (subject) => {
    const { store } = subject;
    const { worker } = await addOneOfEach(subject);
    await assert.rejects(
      store.remove(["dead", "processing"]),
      told("conflict", '"processing"', "its state is processing", "queuectl cancel"),
    );
    await assert.rejects(store.remove(["dead", "unknown"]), told("not_found", "unknown"));
    assert.equal((await jobById(store, "dead")).state, "dead");
    const [run] = await claim(store, worker);
    await assert.rejects(
      store.remove([run.id, "processing"]),
      told("conflict", "2 jobs cannot be removed", `"${run.id}" is processing`),
    );
    await end(store, worker, run, success);
    assert.deepEqual((await store.remove([run.id])).ids, [run.id]);
  });

  test("remove by a filter takes those that do not run", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    assert.deepEqual((await store.remove({ kinds: ["processing"] })).ids, []);
    assert.deepEqual((await store.remove({ search: "zzz" })).ids, []);
    assert.deepEqual((await store.remove({ kinds: ["completed", "waiting"] })).ids, [
      "completed",
      "due",
      "pending",
    ]);
    assert.deepEqual((await store.remove({ unchangedSince: { ago: 3000 } })).ids, ["dead", "failed"]);
    assert.deepEqual((await store.remove("all")).ids, ["cancelled"]);
    assert.deepEqual(ids(await store.list({ limit: 10 })), ["processing"]);
  });
}
