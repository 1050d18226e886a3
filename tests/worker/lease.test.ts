import assert from "node:assert/strict";
import { createLease, type Moment } from "../../src/worker/lease/lease.ts";

function clocks() {
  const moment: Moment = { monotonic: 1000, wall: 1_900_000_000_000 };
  return {
    now: () => ({ ...moment }),
    /** The host works on. */
    pass: (time: number) => {
      moment.monotonic += time;
      moment.wall += time;
    },
    /** The host sleeps, or its clock is set. */
    jump: (time: number) => moment.wall += time,
  };
}

Deno.test("a lease gives two thirds of its time to work, and a sixth from TERM to KILL", () => {
  const clock = clocks();
  const lease = createLease(true, clock.now);
  assert.equal(lease.timeForWork(), 0);
  lease.renewed(clock.now(), 30_000);
  assert.equal(lease.timeForWork(), 20_000);
  clock.pass(19_000);
  assert.equal(lease.timeForWork(), 1000);
  clock.pass(1000);
  assert.equal(lease.timeForWork(), 0);
  assert.equal(lease.killDelay(5000), 5000);
  assert.equal(lease.killDelay(1000), 1000);
});

Deno.test("a short lease has a short time from TERM to KILL, and one that is over none", () => {
  const clock = clocks();
  const lease = createLease(true, clock.now);
  lease.renewed(clock.now(), 3000);
  clock.pass(2000);
  assert.equal(lease.killDelay(5000), 500);
  clock.pass(800);
  assert.ok(Math.abs(lease.killDelay(5000) - 100) < 1);
  clock.pass(200);
  assert.equal(lease.killDelay(5000), 0);
  clock.pass(60_000);
  assert.equal(lease.killDelay(5000), 0);
});

Deno.test("it counts from the sending, whenever the answer came", () => {
  const clock = clocks();
  const lease = createLease(true, clock.now);
  const first = clock.now();
  clock.pass(1000);
  const second = clock.now();
  clock.pass(8000);
  lease.renewed(second, 30_000);
  assert.equal(lease.timeForWork(), 12_000);
  // An answer that comes late says nothing new.
  lease.renewed(first, 30_000);
  assert.equal(lease.timeForWork(), 12_000);
});

Deno.test("a host that was asleep has not counted that, but its clock tells", () => {
  const clock = clocks();
  const lease = createLease(true, clock.now);
  lease.renewed(clock.now(), 30_000);
  clock.jump(60_000);
  assert.equal(lease.timeForWork(), 0);
  assert.equal(lease.killDelay(5000), 0);
  lease.renewed(clock.now(), 30_000);
  assert.equal(lease.timeForWork(), 20_000);
  // A clock that is set back gives no time.
  clock.jump(-3_600_000);
  assert.equal(lease.timeForWork(), 20_000);
  clock.pass(20_000);
  assert.equal(lease.timeForWork(), 0);
});

Deno.test("where no other host can take over, there is no end", () => {
  const clock = clocks();
  const lease = createLease(false, clock.now);
  assert.equal(lease.timeForWork(), Infinity);
  lease.renewed(clock.now(), 3000);
  clock.pass(60_000);
  assert.equal(lease.timeForWork(), Infinity);
});
