/** Connections that are lost at the worst moment: nothing is lost, done twice, or left to nobody. */

import assert from "node:assert/strict";
import { createListener, notification } from "../../../src/store/postgres/connection/notifications.ts";
import { createRequests } from "../../../src/store/postgres/unanswered_requests.ts";
import { UnknownOutcomeError } from "../../../src/store/postgres/connection/error_remedies.ts";
import { postgresTest, type Subject } from "../../helpers/postgres_test.ts";
import type { CommitFault } from "../../helpers/proxy.ts";
import { waitFor } from "../../helpers/wait_for.ts";
import {
  assertCounted,
  claim,
  claimOne,
  failure,
  finished,
  ids,
  jobById,
  join,
  newJob,
  newJobs,
  success,
  told,
} from "../suite/harness.ts";

const faults: CommitFault[] = ["lost on the way", "answer lost"];

/** Registers a test for both ends of a commit; `store` is behind the proxy, `other` is not. */
function faultTest(
  name: string,
  body: (subject: Subject & { fail(): void; fault: CommitFault }) => Promise<void>,
): void {
  for (const fault of faults) {
    postgresTest(`${name}, commit ${fault}`, async (subject) => {
      await body({ ...subject, fault, fail: () => subject.proxy.faultAtCommit(fault) });
      assert.ok(subject.proxy.count > 1, "no connection was lost");
    });
  }
}

faultTest("enqueue stores its jobs once, and takes none of them for another's", async (test) => {
  const store = await test.open(test.proxied);
  test.fail();
  await store.enqueue(newJobs("a", "b"));
  assert.deepEqual(ids(await store.list({ limit: 10 })), ["a", "b"]);
  test.fail();
  await assert.rejects(store.enqueue(newJobs("c", "a")), told("conflict", `"a"`));
  // The refusal needed no commit; this one does.
  await store.enqueue(newJobs("c"));
  await assertCounted(store);
});

faultTest("intake stores its jobs once", async (test) => {
  const store = await test.open(test.proxied);
  using intake = await store.intake();
  intake.add(Array.from({ length: 3000 }, (_, number) => newJob(`job-${number}`)));
  test.fail();
  assert.equal(await intake.commit(), 3000);
  assert.equal((await store.counts()).pending, 3000);
  await assertCounted(store);
});

faultTest("the claims of an exchange come with its repetition, and are nobody else's", async (test) => {
  const store = await test.open(test.proxied);
  const other = await test.open(test.url);
  const worker = await join(store);
  await store.enqueue(newJobs("a", "b", "c"));
  test.fail();
  const claims = await claim(store, worker, 2);
  assert.deepEqual(claims.map(({ id, claim, attempt }) => [id, claim, attempt]), [["a", 1, 1], ["b", 1, 1]]);
  assert.deepEqual(ids(await claim(other, await join(other), 5)), ["c"]);
  assert.deepEqual((await store.processes())[0].running, ["a", "b"]);
  const { stale } = await store.exchange(worker, claims.map((run) => finished(run, success)), 0);
  assert.deepEqual(stale, []);
});

faultTest("results are recorded once and are not stale; claims come with them", async (test) => {
  const store = await test.open(test.proxied);
  const other = await test.open(test.url);
  const worker = await join(store);
  await store.enqueue([newJob("a"), newJob("b", { maxRetries: 0 }), newJob("taken"), newJob("d")]);
  const runs = await claim(store, worker, 3);
  // One of the results is stale, whatever becomes of the commit.
  const gone = await join(other);
  await test.query(`UPDATE queuectl.jobs SET worker = ${gone} WHERE id = 'taken'`);
  await other.takeOver(await join(other), [gone], []);
  test.fail();
  const [a, b, taken] = runs;
  const answer = await store.exchange(worker, [
    finished(a, success),
    finished(b, failure),
    finished(taken, success),
  ], 1);
  assert.deepEqual(answer.stale, [taken.seq]);
  assert.deepEqual(ids(answer.claims), ["d"]);
  assert.equal((await store.attempts("a")).length, 1);
  assert.equal((await jobById(store, "b")).state, "dead");
  assert.equal(await store.deaths(), 1);
  await assertCounted(store);
});

faultTest("jobs that were taken over come with the repetition", async (test) => {
  const store = await test.open(test.proxied);
  const [old, heir] = [await join(store), await join(store)];
  await store.enqueue(newJobs("a", "b"));
  await claim(store, old, 2);
  test.fail();
  const taken = await store.takeOver(heir, [old], []);
  assert.deepEqual(taken.map(({ id, claim }) => [id, claim]), [["a", 2], ["b", 2]]);
  assert.deepEqual((await store.processes()).map(({ id, running }) => [id, running]), [[heir, ["a", "b"]]]);
});

faultTest("a process is registered once", async (test) => {
  const store = await test.open(test.proxied);
  test.fail();
  const worker = await join(store);
  assert.deepEqual((await store.processes()).map(({ id }) => id), [worker]);
});

faultTest("a change that cannot know its own work again is repeated or told, never guessed", async (test) => {
  const store = await test.open(test.proxied);
  await store.enqueue(newJobs("a"));
  test.fail();
  await assert.rejects(store.cancel(["a"]), told("database", "may have been made or not"));
  const isDone = test.fault === "answer lost";
  assert.equal((await jobById(store, "a")).state, isDone ? "cancelled" : "pending");
});

postgresTest("a session that the server ends is replaced", async ({ open, url, query }) => {
  const name = crypto.randomUUID();
  const store = await open(`${url}&application_name=${name}`);
  await store.enqueue(newJobs("a", "b"));
  const worker = await join(store);
  for (const expected of ["a", "b"]) {
    const ended = await query(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = '${name}'`,
    );
    assert.deepEqual(ended, [{ ended: true }]);
    assert.equal((await claimOne(store, worker)).id, expected);
  }
});

postgresTest("a connection on which nothing comes through any more is noticed and replaced", async (test) => {
  const database = await test.connect(test.proxied, 300);
  test.proxy.freeze();
  assert.deepEqual(await database.batch([{ text: "SELECT 1 AS one" }]), [[{ one: 1 }]]);
  assert.equal(test.proxy.count, 2);
});

postgresTest("who is in a hurry waits no longer for a server that says nothing", async (test) => {
  const database = await test.connect(test.proxied);
  const asked = () => database.batch([{ text: "SELECT 1 AS one" }]);
  database.hasten(0);
  database.hasten(Infinity);
  assert.deepEqual(await asked(), [[{ one: 1 }]]);
  test.proxy.freeze();
  const waiting = asked();
  database.hasten(10);
  // Through another connection it would be told at some time.
  await assert.rejects(waiting, told("database", "cannot be reached"));
  await assert.rejects(asked(), told("database", "cannot be reached"));
});

postgresTest("who listens notices that nothing comes through, and listens anew", async (test) => {
  const quiet = { interval: 50, patience: 200 };
  const [database, other] = [await test.connect(test.proxied), await test.connect(test.url)];
  // Its own clock stands still, so that only notifications count.
  const listener = createListener({ ...database, now: () => 0 }, quiet);
  try {
    const news = () => waitFor("news", () => listener.changed());
    listener.changed();
    // First of the connection itself, then of what others do.
    await news();
    await other.batch([notification(other)]);
    await news();
    test.proxy.freeze();
    await news();
    await other.batch([notification(other)]);
    await news();
    test.proxy.cut();
    await news();
  } finally {
    await listener.close();
  }
});

Deno.test("a request keeps its name until an answer has come, also when its repetition fails", async () => {
  const options = { location: "here" } as ConstructorParameters<typeof UnknownOutcomeError>[0];
  const lost = new UnknownOutcomeError(options, undefined);
  const requests = createRequests();
  const names: string[] = [];
  const once = (name: string) => {
    names.push(`once ${name}`);
    return Promise.reject(lost);
  };
  const failing = (name: string) => {
    names.push(`again ${name}`);
    return Promise.reject(new Error("unreachable"));
  };
  const working = (name: string) => {
    names.push(`again ${name}`);
    return Promise.resolve("done");
  };
  await assert.rejects(requests.answer("claim", once, failing), /unreachable/);
  assert.equal(requests.isOpen("claim"), true);
  assert.equal(requests.isOpen("other"), false);
  await assert.rejects(requests.answer("claim", once, failing), /unreachable/);
  assert.equal(await requests.answer("claim", once, working), "done");
  assert.equal(requests.isOpen("claim"), false);
  const [first] = names;
  const name = first.slice("once ".length);
  assert.deepEqual(names, [first, `again ${name}`, `again ${name}`, `again ${name}`]);
});
