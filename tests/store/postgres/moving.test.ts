/** A move over a connection that is lost: the queue is whole in one place, and moves the next time. */

import assert from "node:assert/strict";
import { moveQueue } from "../../../src/store/transfer.ts";
import { openStore } from "../../../src/store/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { postgresTest, type Subject } from "../../helpers/postgres_test.ts";
import { queueRows } from "../../helpers/queue_rows.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { manualClock, newJobs, told } from "../suite/harness.ts";
import { fill, none } from "../suite/moving.ts";

/** Registers a test for a queue in a file that moves to a server, and one for the way back. */
function lostTest(
  name: string,
  body: (
    subject: Subject,
    from: Store,
    to: Store,
    rows: (store: Store) => ReturnType<typeof queueRows>,
  ) => Promise<void>,
): void {
  for (const isBack of [false, true]) {
    postgresTest(`${name}, ${isBack ? "to a file" : "from a file"}`, async (subject) => {
      await using folder = await temporaryFolder();
      await using file = await openStore(`${folder.path}/queue.db`, { missing: "create", durable: false });
      const server = await subject.open(subject.proxied);
      const [from, to] = isBack ? [server, file] : [file, server];
      await fill(from, manualClock());
      await body(subject, from, to, (store) => queueRows(store === file ? store.url : subject.url));
      assert.deepEqual([await from.check(), await to.check()], [[], []]);
    });
  }
}

lostTest("a connection that is cut in the middle of a move", async ({ proxy }, from, to, rows) => {
  const before = await rows(from);
  const cut = moveQueue(from, to, { ...none, progress: () => proxy.cut() });
  await assert.rejects(cut, told("database", "cannot be reached"));
  assert.deepEqual(await rows(from), before);
  assert.deepEqual((await rows(to)).jobs, []);
  assert.equal((await moveQueue(from, to, none)).resumed, false);
  assert.deepEqual(await rows(to), before);
});

lostTest("the commit of a move that is lost on the way", async ({ proxy }, from, to, rows) => {
  const before = await rows(from);
  const lost = moveQueue(from, to, { ...none, progress: () => proxy.faultAtCommit("lost on the way") });
  await assert.rejects(lost, told("database", "was lost", "nothing was moved"));
  assert.deepEqual(await rows(from), before);
  assert.deepEqual((await rows(to)).jobs, []);
  await from.enqueue(newJobs("after"));
  await moveQueue(from, to, none);
  assert.equal((await rows(to)).jobs.length, before.jobs.length + 1);
});

lostTest("the commit of a move whose answer is lost", async ({ proxy }, from, to, rows) => {
  const before = await rows(from);
  const lost = moveQueue(from, to, { ...none, progress: () => proxy.faultAtCommit("answer lost") });
  // Of the source it is the seal, without which nothing has moved; of the target it is all of it.
  const isBack = from.url.startsWith("postgres");
  if (isBack) await assert.rejects(lost, told("database", "was lost", "nothing was moved"));
  else await lost;
  if (isBack) assert.deepEqual(await rows(from), before);
  if (isBack) await moveQueue(from, to, none);
  assert.deepEqual(await rows(to), before);
  assert.deepEqual((await rows(from)).jobs, []);
  await from.enqueue(newJobs("after"));
});

postgresTest(
  "a user who may do everything but own the tables cannot move a queue away",
  async ({ url, open, query }) => {
    const owner = await open(url);
    await owner.enqueue(newJobs("a"));
    const role = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    await query(`CREATE ROLE ${role} LOGIN PASSWORD 'open sesame'`);
    try {
      const schema = `"${new URL(url).searchParams.get("schema")}"`;
      await query(
        `GRANT ALL ON SCHEMA ${schema} TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role};
      GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`,
      );
      const place = new URL(url);
      place.username = role;
      place.password = "open sesame";
      await using folder = await temporaryFolder();
      await using file = await openStore(`${folder.path}/queue.db`, { missing: "create", durable: false });
      await using store = await openStore(place.href.replaceAll("+", "%20"), {
        missing: "empty",
        durable: false,
      });
      await assert.rejects(moveQueue(store, file, none), told("database", role, "only the owner"));
      await store.enqueue(newJobs("b"));
      assert.equal((await owner.counts()).pending, 2);
      // It can bring one.
      await owner.cancel(["a", "b"]);
      await query("TRUNCATE queuectl.jobs");
      await query("UPDATE queuectl.counters SET pending = 0, cancelled = 0");
      await file.enqueue(newJobs("c"));
      await moveQueue(file, store, none);
      assert.equal((await owner.counts()).pending, 1);
    } finally {
      await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  },
);
