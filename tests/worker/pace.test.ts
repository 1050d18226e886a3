import assert from "node:assert/strict";
import fc from "fast-check";
import { createPaceMeter } from "../../src/worker/lease/pace.ts";

Deno.test("a pace is told from the first look on, and follows a change within minutes", () => {
  const meter = createPaceMeter(1000);
  assert.equal(meter.perMinute(1000), 0);
  meter.finished(5);
  assert.equal(Math.round(meter.perMinute(11_000)), 30);
  let now = 11_000;
  for (let look = 0; look < 30; look++) {
    meter.finished(20);
    meter.perMinute(now += 10_000);
  }
  assert.ok(Math.abs(meter.perMinute(now) - 120) < 1);
  for (let look = 0; look < 30; look++) meter.perMinute(now += 10_000);
  assert.ok(meter.perMinute(now) < 1);
});

Deno.test("a steady pace is told as it is, however often one looks", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 0, max: 100 }),
    (pauses, perSecond) => {
      const meter = createPaceMeter(0);
      let now = 0;
      for (const seconds of pauses) {
        meter.finished(perSecond * seconds);
        const pace = meter.perMinute(now += seconds * 1000);
        assert.ok(Math.abs(pace - perSecond * 60) < 1e-6 * (1 + perSecond));
      }
    },
  ));
});
