/** Managers and workers: announcing, leases, stopping. */

import assert from "node:assert/strict";
import { type Case, claim, claimOne, finished, join, lease, newJobs, success } from "./harness.ts";

export function processCases(test: Case): void {
  test("register shows the process with all that it said", async ({ store, clock }) => {
    const identity = { host: "host é", boot: "boot", pid: 4_000_000_000, start: "2030-01-01 12:00" };
    const manager = await join(store, { role: "manager", number: 4, concurrency: 0, identity });
    clock.advance(10);
    const worker = await join(store, { manager, number: 2, concurrency: 8, identity });
    assert.notEqual(manager, worker);
    const common = { identity, queues: null, expired: false, stop: null, pace: null, running: [] };
    const started = clock.now();
    assert.deepEqual(await store.processes(), [
      {
        id: manager,
        role: "manager",
        manager: null,
        number: 4,
        concurrency: 0,
        startedAt: started - 10,
        heartbeatAt: started - 10,
        silentFor: 10,
        ...common,
      },
      {
        id: worker,
        role: "worker",
        manager,
        number: 2,
        concurrency: 8,
        startedAt: started,
        heartbeatAt: started,
        silentFor: 0,
        ...common,
      },
    ]);
  });

  test("workers are listed after the manager that started them", async ({ store }) => {
    const first = await join(store, { role: "manager" });
    const second = await join(store, { role: "manager" });
    const workers = [
      await join(store, { manager: second }),
      await join(store, { manager: first }),
      await join(store, { manager: second }),
    ];
    const listed = (await store.processes()).map(({ id }) => id);
    assert.deepEqual(listed, [first, workers[1], second, workers[0], workers[2]]);
  });

  test("leave forgets the process, and its number is never given again", async ({ store }) => {
    const first = await join(store);
    await store.leave(first);
    assert.deepEqual(await store.processes(), []);
    await store.leave(first);
    assert.notEqual(await join(store), first);
  });

  test("heartbeat renews the lease", async ({ store, clock }) => {
    const [worker, heir] = [await join(store), await join(store)];
    for (let beat = 0; beat < 3; beat++) {
      clock.advance(lease - 1);
      assert.equal(await store.heartbeat(worker, lease), true);
      assert.equal(await store.heartbeat(heir, lease), true);
    }
    assert.deepEqual(await store.takeOver(heir, [], [worker]), []);
    const [process] = await store.processes();
    assert.deepEqual([process.id, process.heartbeatAt, process.expired], [worker, clock.now(), false]);
    assert.equal(process.startedAt, clock.now() - 3 * (lease - 1));
  });

  test("heartbeat tells the pace", async ({ store }) => {
    const worker = await join(store);
    await store.heartbeat(worker, lease, 12.5);
    assert.deepEqual((await store.processes()).map(({ pace }) => pace), [12.5]);
    await store.heartbeat(worker, lease);
    assert.deepEqual((await store.processes()).map(({ pace }) => pace), [null]);
  });

  test("heartbeat takes a longer or shorter lease from then on", async ({ store, clock }) => {
    const [long, short] = [await join(store), await join(store)];
    await store.heartbeat(long, 10 * lease);
    await store.heartbeat(short, 1000);
    clock.advance(1001);
    assert.deepEqual((await store.processes()).map(({ expired }) => expired), [false, true]);
    clock.advance(5 * lease);
    assert.deepEqual((await store.processes()).map(({ expired }) => expired), [false, true]);
  });

  test("heartbeat is false once the process was declared gone or has left", async ({ store, clock }) => {
    const [gone, late, left, heir] = [
      await join(store),
      await join(store),
      await join(store),
      await join(store),
    ];
    clock.advance(lease + 1);
    assert.equal(await store.heartbeat(gone, lease), true);
    await store.leave(left);
    await store.takeOver(heir, [gone], [late]);
    for (const process of [gone, late, left]) assert.equal(await store.heartbeat(process, lease), false);
    assert.equal(await store.heartbeat(heir, lease), true);
    assert.equal((await store.processes()).length, 1);
  });

  test("a process that was forgotten while it was silent can have its id again", async ({ store }) => {
    const [old, heir] = [await join(store, { role: "manager" }), await join(store)];
    await store.takeOver(heir, [old], []);
    assert.equal(await store.heartbeat(old, lease), false);
    assert.equal(await join(store, { role: "manager", id: old }), old);
    assert.equal(await store.heartbeat(old, lease), true);
  });

  test("requestStop reaches managers and workers through exchange", async ({ store, connect }) => {
    const other = await connect();
    const managers = [await join(store, { role: "manager" }), await join(other, { role: "manager" })];
    const workers = [
      await join(store, { manager: managers[0] }),
      await join(other, { manager: managers[1] }),
    ];
    const stops = async () => {
      const processes = [...managers, ...workers];
      return await Promise.all(processes.map(async (process) => (await store.exchange(process, [], 0)).stop));
    };
    assert.deepEqual(await stops(), [null, null, null, null]);
    assert.deepEqual(await other.requestStop({ grace: 1500 }, []), managers);
    assert.deepEqual(await stops(), Array(4).fill({ grace: 1500 }));
    assert.deepEqual((await store.processes()).map(({ stop }) => stop), Array(4).fill({ grace: 1500 }));
    await other.requestStop({ grace: 0 }, []);
    assert.deepEqual(await stops(), Array(4).fill({ grace: 0 }));
  });

  test("a stop comes with the results that are recorded", async ({ store, connect }) => {
    const other = await connect();
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const run = await claimOne(store, worker);
    await other.requestStop({ grace: 10 }, []);
    const answer = await store.exchange(worker, [finished(run, success)], 0);
    assert.deepEqual(answer, { claims: [], stale: [], cancel: [], signals: [], stop: { grace: 10 } });
  });

  test("a process that comes after the stop is not asked", async ({ store }) => {
    await join(store, { role: "manager" });
    await store.requestStop({ grace: 10 }, []);
    const late = await join(store, { role: "manager" });
    assert.equal((await store.exchange(late, [], 0)).stop, null);
  });

  test("a worker that its manager starts after the stop is asked as the manager was", async ({ store }) => {
    const manager = await join(store, { role: "manager" });
    await store.requestStop({ grace: 10 }, []);
    const worker = await join(store, { manager });
    assert.deepEqual((await store.exchange(worker, [], 1)).stop, { grace: 10 });
  });

  test("requestStop forgets managers that are gone and asks the others", async ({ store }) => {
    const [gone, alive] = [await join(store, { role: "manager" }), await join(store, { role: "manager" })];
    const worker = await join(store, { manager: gone });
    await store.enqueue(newJobs("a"));
    await claim(store, worker);
    assert.deepEqual(await store.requestStop({ grace: 10 }, [gone]), [alive]);
    assert.deepEqual(
      (await store.processes()).map(({ id, running }) => [id, running]).sort(),
      [[alive, []], [worker, ["a"]]].sort(),
    );
    assert.deepEqual((await store.exchange(worker, [], 0)).stop, { grace: 10 });
  });

  test("requestStop where no manager is returns none", async ({ store }) => {
    assert.deepEqual(await store.requestStop({ grace: 10 }, []), []);
    await join(store);
    assert.deepEqual(await store.requestStop({ grace: 10 }, []), []);
  });

  test("exchange of a process that is not registered asks nothing of it", async ({ store }) => {
    assert.deepEqual(await store.exchange(999_999, [], 0), {
      claims: [],
      stale: [],
      cancel: [],
      signals: [],
      stop: null,
    });
  });
}
