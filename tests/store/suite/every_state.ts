/** A queue with jobs of every state, for cases about choosing among them. */

import type { Subject } from "./harness.ts";
import { addDead, claim, end, failure, finished, join, newJob, newJobs, success } from "./harness.ts";

/**
 * Adds jobs whose ids are their states, and `due`, which has failed and may be claimed; the time of the last change of
 * each is a second after that of the one before: dead, completed, failed, due, cancelled, processing, pending.
 */
export async function addOneOfEach({ store, clock }: Subject): Promise<{ worker: number }> {
  const worker = await join(store, { lease: 3_600_000 });
  const second = () => clock.advance(1000);
  await addDead(store, "dead");
  second();
  await store.enqueue([
    newJob("completed", { priority: 9, command: "Make ALL" }),
    newJob("failed", { priority: 8, baseBackoff: 1000 }),
    newJob("due", { priority: 7, baseBackoff: 0 }),
  ]);
  const [completed, failed, due] = await claim(store, worker, 3);
  await end(store, worker, completed, success);
  second();
  await end(store, worker, failed, failure);
  second();
  await store.exchange(worker, [finished(due, failure)], 0);
  second();
  await store.enqueue(newJobs("cancelled"));
  await store.cancel(["cancelled"]);
  second();
  await store.enqueue([newJob("processing", { priority: 10 })]);
  await claim(store, worker);
  second();
  await store.enqueue(newJobs("pending"));
  return { worker };
}
