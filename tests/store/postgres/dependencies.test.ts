/** Parents of one job that end at the same moment in several sessions, and answers that are lost: each of them counts once. */

import assert from "node:assert/strict";
import { postgresTest } from "../../helpers/postgres_test.ts";
import type { CommitFault } from "../../helpers/proxy.ts";
import { claim, failure, finished, ids, join, newJob, newJobs, success } from "../suite/harness.ts";

postgresTest(
  "parents that end at once in several sessions all count, and wait for one another",
  async (test) => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => test.open(test.url)));
    const [store] = stores;
    const workers = await Promise.all(stores.map((store) => join(store, { lease: 3_600_000 })));
    const names = Array.from({ length: 80 }, (_, n) => `p${n}`);
    await store.enqueue(newJobs(...names));
    const children = Array.from({ length: 10 }, (_, n) => `c${n}`);
    await store.enqueue(children.map((id) => newJob(id, { after: names })));
    const claims = await Promise.all(stores.map((store, index) => claim(store, workers[index], 20)));
    assert.equal(claims.flat().length, 80);
    await Promise.all(stores.map(async (store, index) => {
      for (let at = 0; at < 20; at += 2) {
        const runs = claims[index].slice(at, at + 2).map((run) => finished(run, success));
        assert.deepEqual((await store.exchange(workers[index], runs, 0)).stale, []);
      }
    }));
    assert.deepEqual(await store.check(), []);
    assert.deepEqual(ids(await claim(store, workers[0], 99)), children);
  },
);

postgresTest("a job that is put in while its parents end waits for none for ever", async (test) => {
  const [store, other] = [await test.open(test.url), await test.open(test.url)];
  const worker = await join(store, { lease: 3_600_000 });
  const names = Array.from({ length: 30 }, (_, n) => `p${n}`);
  await store.enqueue(newJobs(...names));
  const runs = await claim(store, worker, 30);
  await Promise.all([
    (async () => {
      for (const run of runs) await store.exchange(worker, [finished(run, success)], 0);
    })(),
    (async () => {
      for (let n = 0; n < 15; n++) await other.enqueue([newJob(`c${n}`, { after: names, afterAny: ["p0"] })]);
    })(),
  ]);
  assert.deepEqual(await store.check(), []);
  assert.equal((await claim(store, worker, 99)).length, 15);
});

for (const fault of ["lost on the way", "answer lost"] as CommitFault[]) {
  postgresTest(`ends of parents, and jobs that wait for them, count once, commit ${fault}`, async (test) => {
    const store = await test.open(test.proxied);
    const worker = await join(store, { lease: 3_600_000 });
    await store.enqueue([...newJobs("a", "b"), newJob("dead", { maxRetries: 0 })]);
    test.proxy.faultAtCommit(fault);
    await store.enqueue([
      newJob("child", { after: ["a", "b"] }),
      newJob("any", { after: ["a"], afterAny: ["dead"] }),
      newJob("never", { after: ["dead"] }),
    ]);
    const runs = await claim(store, worker, 9);
    assert.deepEqual(ids(runs), ["a", "b", "dead"]);
    test.proxy.faultAtCommit(fault);
    const answer = await store.exchange(worker, [finished(runs[0], success), finished(runs[2], failure)], 0);
    assert.deepEqual(answer.stale, []);
    const listed = await store.list({ limit: 9 });
    assert.deepEqual(listed.slice(3).map(({ id, state, blocked }) => [id, state, blocked]), [
      ["child", "pending", 1],
      ["any", "pending", 0],
      ["never", "cancelled", 0],
    ]);
    assert.deepEqual(await store.check(), []);
  });
}
