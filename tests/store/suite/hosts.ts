import assert from "node:assert/strict";
import { type Case, claimOne, ids, join, newJobs } from "./harness.ts";

const identity = (host: string, boot = `boot of ${host}`) => ({ host, boot, pid: 1, start: "start" });

/** Processes of several hosts. */
export function hostCases(test: Case): void {
  test("requestStop reaches the processes of the hosts that are named, and no others", async ({ store }) => {
    const managers: Record<string, number> = {};
    const workers: Record<string, number> = {};
    for (const host of ["one/pid:[1]", "one/pid:[2]", "two"]) {
      managers[host] = await join(store, { role: "manager", identity: identity(host) });
      workers[host] = await join(store, { manager: managers[host], identity: identity(host) });
    }
    const asked = async () =>
      (await store.processes()).filter(({ stop }) => stop !== null).map(({ id }) => id);
    assert.deepEqual(await store.requestStop({ grace: 10 }, [], ["nowhere"]), []);
    assert.deepEqual(await asked(), []);
    assert.deepEqual(await store.requestStop({ grace: 10 }, [], ["one/pid:[2]"]), [managers["one/pid:[2]"]]);
    assert.deepEqual(await asked(), [managers["one/pid:[2]"], workers["one/pid:[2]"]]);
    assert.deepEqual(
      await store.requestStop({ grace: 10 }, [managers["two"]], ["one/pid:[1]", "two"]),
      [managers["one/pid:[1]"]],
    );
    assert.deepEqual((await store.processes()).map(({ id }) => id).includes(managers["two"]), false);
    assert.equal((await store.processes()).find(({ id }) => id === workers["two"])?.stop?.grace, 10);
  });

  test("a run of this boot is no longer one when a worker of another host has taken it over", async ({ store }) => {
    const here = await join(store, { identity: identity("here") });
    const there = await join(store, { identity: identity("there") });
    await store.enqueue(newJobs("a"));
    const { seq, run } = await claimOne(store, here);
    const isRunning = async () => [
      await store.isRunning(seq, run),
      await store.isRunning(seq, run, "boot of here"),
      await store.isRunning(seq, run, "boot of there"),
    ];
    assert.deepEqual(await isRunning(), [true, true, false]);
    // Nobody has taken it over yet: it may still be adopted.
    await store.leave(here);
    assert.deepEqual(await isRunning(), [true, true, true]);
    await store.takeOver(there, [], []);
    assert.deepEqual(await isRunning(), [true, false, true]);
    assert.equal(await store.isRunning(seq, run + 1, "boot of there"), false);
  });

  test("a worker that was declared gone takes nothing over", async ({ store }) => {
    const [first, second, third] = [await join(store), await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    await claimOne(store, first);
    await store.takeOver(third, [second], []);
    assert.deepEqual(await store.takeOver(second, [first], []), []);
    assert.deepEqual(ids(await store.takeOver(third, [], [])), ["a"]);
  });

  test("how long a process has been silent is told by the clock of the store", async ({ store, clock }) => {
    const worker = await join(store);
    clock.advance(1500);
    assert.equal((await store.processes())[0].silentFor, 1500);
    await store.heartbeat(worker, 30_000);
    assert.equal((await store.processes())[0].silentFor, 0);
  });
}
