import assert from "node:assert/strict";
import fc from "fast-check";
import { nextStep, retryDelay, type RetryPolicy } from "../../src/job/backoff.ts";
import type { NextStep, Outcome } from "../../src/job/job.ts";

const hour = 3_600_000;
const attempts = fc.integer({ min: 1, max: 1_000_000 });
const base = fc.double({ min: 0, max: 1000, noNaN: true });
const maxBackoff = fc.integer({ min: 0, max: 100 * 365 * 24 * hour });

Deno.test("retryDelay is base ^ attempts seconds, capped", () => {
  const cases: Array<[baseBackoff: number, attempts: number, expected: number]> = [
    [2, 1, 2000],
    [2, 2, 4000],
    [2, 3, 8000],
    [2, 11, 2_048_000],
    [2, 12, hour],
    [1, 50, 1000],
    [0, 1, 0],
    [0, 9, 0],
    [0.5, 1, 500],
    [0.5, 20, 0],
    [1.5, 2, 2250],
    [1000, 1000, hour],
  ];
  for (const [baseBackoff, attempts, expected] of cases) {
    assert.equal(
      retryDelay({ attempts, baseBackoff, maxBackoff: hour }),
      expected,
      `${baseBackoff} ^ ${attempts}`,
    );
  }
});

Deno.test("retryDelay is a whole number of milliseconds from 0 to the cap", () => {
  fc.assert(fc.property(attempts, base, maxBackoff, (attempts, baseBackoff, maxBackoff) => {
    const delay = retryDelay({ attempts, baseBackoff, maxBackoff });
    return Number.isInteger(delay) && delay >= 0 && delay <= maxBackoff;
  }));
});

Deno.test("retryDelay never shrinks from one attempt to the next for a base of at least 1", () => {
  const growing = fc.double({ min: 1, max: 1000, noNaN: true });
  fc.assert(fc.property(attempts, growing, maxBackoff, (attempts, baseBackoff, maxBackoff) => {
    const policy = { baseBackoff, maxBackoff };
    return retryDelay({ ...policy, attempts: attempts + 1 }) >= retryDelay({ ...policy, attempts });
  }));
});

Deno.test("retryDelay never shrinks with a larger base or a higher cap", () => {
  fc.assert(
    fc.property(attempts, base, base, maxBackoff, maxBackoff, (attempts, base1, base2, cap1, cap2) => {
      const smaller = { attempts, baseBackoff: Math.min(base1, base2), maxBackoff: Math.min(cap1, cap2) };
      const larger = { attempts, baseBackoff: Math.max(base1, base2), maxBackoff: Math.max(cap1, cap2) };
      return retryDelay(smaller) <= retryDelay(larger);
    }),
  );
});

Deno.test("base 0 retries at once, whatever the attempt", () => {
  fc.assert(
    fc.property(
      attempts,
      maxBackoff,
      (attempts, maxBackoff) => retryDelay({ attempts, baseBackoff: 0, maxBackoff }) === 0,
    ),
  );
});

Deno.test("a base above 1 reaches the cap in the end", () => {
  const growing = fc.double({ min: 1.01, max: 1000, noNaN: true });
  fc.assert(
    fc.property(
      growing,
      maxBackoff,
      (baseBackoff, maxBackoff) => retryDelay({ attempts: 100_000, baseBackoff, maxBackoff }) === maxBackoff,
    ),
  );
});

const policy: RetryPolicy = { attempts: 1, maxRetries: 3, baseBackoff: 2, maxBackoff: hour };
const failures: Outcome[] = [
  { kind: "exited", code: 1 },
  { kind: "exited", code: 255 },
  { kind: "signaled", signal: "SIGKILL", code: 137 },
  { kind: "timed_out", timeout: 1000 },
  { kind: "spawn_failed", message: "no shell" },
  { kind: "lost", message: "gone" },
];

for (const outcome of failures) {
  Deno.test(`nextStep after ${JSON.stringify(outcome)} is a retry until the attempts are spent`, () => {
    const step = (attempts: number) => nextStep(outcome, "why", { ...policy, attempts });
    const retry = (delay: number): NextStep => ({ state: "failed", delay, error: "why" });
    assert.deepEqual([1, 2, 3].map(step), [retry(2000), retry(4000), retry(8000)]);
    assert.deepEqual(step(4), { state: "dead", error: "why" });
    assert.deepEqual(step(5), { state: "dead", error: "why" });
    assert.deepEqual(nextStep(outcome, "why", { ...policy, maxRetries: 0 }), { state: "dead", error: "why" });
  });
}

Deno.test("nextStep completes an exit with 0 and gives a job back, also on the last attempt", () => {
  for (const attempts of [1, 4, 100]) {
    assert.deepEqual(nextStep({ kind: "exited", code: 0 }, "", { ...policy, attempts }), {
      state: "completed",
    });
    assert.deepEqual(nextStep({ kind: "handed_back" }, "", { ...policy, attempts }), { state: "pending" });
  }
});

Deno.test("nextStep puts a job whose command exits with 75 off, for at least a second, whatever its attempts", () => {
  const later: Outcome = { kind: "exited", code: 75 };
  const cases: Array<[Partial<RetryPolicy>, delay: number]> = [
    [{}, 2000],
    [{ attempts: 3 }, 8000],
    [{ attempts: 100 }, hour],
    [{ maxRetries: 0 }, 2000],
    [{ baseBackoff: 0 }, 1000],
    [{ baseBackoff: 0.5, attempts: 2 }, 1000],
    [{ maxBackoff: 0 }, 1000],
  ];
  for (const [change, delay] of cases) {
    const expected = { state: "pending", delay, error: "why" };
    assert.deepEqual(nextStep(later, "why", { ...policy, ...change }), expected, JSON.stringify(change));
  }
});

Deno.test("a job that always fails runs max_retries + 1 times", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.constantFrom(...failures), (maxRetries, outcome) => {
      let attempts = 1;
      while (nextStep(outcome, "why", { ...policy, maxRetries, attempts }).state === "failed") attempts++;
      assert.equal(attempts, maxRetries + 1);
    }),
  );
});
