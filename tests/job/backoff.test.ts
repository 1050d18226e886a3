import assert from "node:assert/strict";
import fc from "fast-check";
import { type BackoffKind, backoffKinds } from "../../src/job/settings.ts";
import { isNotRetried, nextStep, retryDelay, type RetryPolicy } from "../../src/job/backoff.ts";
import type { NextStep, Outcome } from "../../src/job/job.ts";

const hour = 3_600_000;
const attempts = fc.integer({ min: 1, max: 1_000_000 });
const base = fc.double({ min: 0, max: 1000, noNaN: true });
const maxBackoff = fc.integer({ min: 0, max: 100 * 365 * 24 * hour });
const backoff = fc.constantFrom(...backoffKinds);
const part = fc.double({ min: 0, max: 1, noNaN: true });
const plain = { backoff: "exponential", jitter: 0 } as const;

Deno.test("retryDelay is base ^ attempts, base × attempts or base seconds, capped", () => {
  const cases: Array<[kind: BackoffKind, baseBackoff: number, attempts: number, expected: number]> = [
    ["exponential", 2, 1, 2000],
    ["exponential", 2, 2, 4000],
    ["exponential", 2, 3, 8000],
    ["exponential", 2, 11, 2_048_000],
    ["exponential", 2, 12, hour],
    ["exponential", 1, 50, 1000],
    ["exponential", 0, 1, 0],
    ["exponential", 0, 9, 0],
    ["exponential", 0.5, 1, 500],
    ["exponential", 0.5, 20, 0],
    ["exponential", 1.5, 2, 2250],
    ["exponential", 1000, 1000, hour],
    ["linear", 2, 1, 2000],
    ["linear", 2, 2, 4000],
    ["linear", 2, 3, 6000],
    ["linear", 0.5, 3, 1500],
    ["linear", 0, 9, 0],
    ["linear", 2, 1800, hour],
    ["linear", 2, 1801, hour],
    ["fixed", 2, 1, 2000],
    ["fixed", 2, 100, 2000],
    ["fixed", 0, 1, 0],
    ["fixed", 1000, 1, 1_000_000],
  ];
  for (const [backoff, baseBackoff, attempts, expected] of cases) {
    const policy = { attempts, backoff, baseBackoff, maxBackoff: hour, jitter: 0 };
    assert.equal(retryDelay(policy, 0.5), expected, `${backoff} ${baseBackoff}, ${attempts}`);
  }
});

Deno.test("jitter takes a part of the delay that chance decides, also of one that is capped", () => {
  const cases: Array<[jitter: number, random: number, attempts: number, expected: number]> = [
    [0, 0.9, 1, 2000],
    [1, 0, 1, 2000],
    [1, 0.25, 1, 1500],
    [1, 1, 1, 0],
    [0.5, 0, 1, 2000],
    [0.5, 0.5, 1, 1500],
    [0.5, 1, 1, 1000],
    [0.5, 1, 50, hour / 2],
    [0.1, 1, 2, 3600],
  ];
  for (const [jitter, random, attempts, expected] of cases) {
    const policy = { attempts, backoff: "exponential", baseBackoff: 2, maxBackoff: hour, jitter } as const;
    assert.equal(retryDelay(policy, random), expected, `${jitter} of ${attempts} by ${random}`);
  }
});

Deno.test("retryDelay is a whole number of milliseconds from (1 - jitter) of the whole delay to all of it", () => {
  fc.assert(
    fc.property(
      attempts,
      backoff,
      base,
      maxBackoff,
      part,
      part,
      (attempts, backoff, baseBackoff, maxBackoff, jitter, random) => {
        const policy = { attempts, backoff, baseBackoff, maxBackoff };
        const whole = retryDelay({ ...policy, jitter: 0 }, random);
        const delay = retryDelay({ ...policy, jitter }, random);
        assert.ok(Number.isInteger(delay) && delay >= 0 && delay <= whole && whole <= maxBackoff);
        assert.ok(delay >= Math.floor(whole * (1 - jitter)) - 1);
      },
    ),
  );
});

Deno.test("retryDelay never shrinks from one attempt to the next for a base of at least 1", () => {
  const growing = fc.double({ min: 1, max: 1000, noNaN: true });
  fc.assert(
    fc.property(
      attempts,
      growing,
      maxBackoff,
      backoff,
      part,
      (attempts, baseBackoff, maxBackoff, backoff, random) => {
        const policy = { baseBackoff, maxBackoff, backoff, jitter: 0.5 };
        return retryDelay({ ...policy, attempts: attempts + 1 }, random) >=
          retryDelay({ ...policy, attempts }, random);
      },
    ),
  );
});

Deno.test("retryDelay never shrinks with a larger base or a higher cap", () => {
  fc.assert(
    fc.property(
      attempts,
      backoff,
      base,
      base,
      maxBackoff,
      maxBackoff,
      (attempts, backoff, base1, base2, cap1, cap2) => {
        const [baseBackoff, cap] = [Math.min(base1, base2), Math.min(cap1, cap2)];
        const smaller = { ...plain, attempts, backoff, baseBackoff, maxBackoff: cap };
        const larger = { ...smaller, baseBackoff: Math.max(base1, base2), maxBackoff: Math.max(cap1, cap2) };
        return retryDelay(smaller, 0) <= retryDelay(larger, 0);
      },
    ),
  );
});

Deno.test("base 0 retries at once, whatever the attempt", () => {
  fc.assert(
    fc.property(
      attempts,
      backoff,
      maxBackoff,
      (attempts, backoff, maxBackoff) =>
        retryDelay({ attempts, backoff, baseBackoff: 0, maxBackoff, jitter: 1 }, 0.5) === 0,
    ),
  );
});

Deno.test("a base above 1 reaches the cap in the end", () => {
  const growing = fc.double({ min: 1.01, max: 1000, noNaN: true });
  fc.assert(
    fc.property(
      growing,
      maxBackoff,
      (baseBackoff, maxBackoff) =>
        retryDelay({ ...plain, attempts: 100_000, baseBackoff, maxBackoff }, 0) === maxBackoff,
    ),
  );
});

const policy: RetryPolicy = { ...plain, attempts: 1, maxRetries: 3, baseBackoff: 2, maxBackoff: hour };
/** Chance is not what these are about. */
const decide = (outcome: Outcome, error: string, policy: RetryPolicy) => nextStep(outcome, error, policy, 0);
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
    const step = (attempts: number) => decide(outcome, "why", { ...policy, attempts });
    const retry = (delay: number): NextStep => ({ state: "failed", delay, error: "why" });
    assert.deepEqual([1, 2, 3].map(step), [retry(2000), retry(4000), retry(8000)]);
    assert.deepEqual(step(4), { state: "dead", error: "why" });
    assert.deepEqual(step(5), { state: "dead", error: "why" });
    assert.deepEqual(decide(outcome, "why", { ...policy, maxRetries: 0 }), { state: "dead", error: "why" });
  });
}

Deno.test("nextStep completes an exit with 0 and gives a job back, also on the last attempt", () => {
  for (const attempts of [1, 4, 100]) {
    assert.deepEqual(decide({ kind: "exited", code: 0 }, "", { ...policy, attempts }), {
      state: "completed",
    });
    assert.deepEqual(decide({ kind: "handed_back" }, "", { ...policy, attempts }), { state: "pending" });
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
    [{ postponed: 1 }, 4000],
    [{ attempts: 2, postponed: 2 }, 16_000],
    [{ postponed: 100 }, hour],
    [{ postponed: 3, backoff: "linear" }, 8000],
    [{ postponed: 3, backoff: "fixed" }, 2000],
    [{ baseBackoff: 0, attempts: 7, postponed: 1 }, 2000],
    [{ baseBackoff: 0, postponed: 4, backoff: "fixed" }, 16_000],
    [{ baseBackoff: 0, postponed: 100 }, hour],
    [{ postponed: 2, maxPostponed: 3 }, 8000],
  ];
  for (const [change, delay] of cases) {
    const expected = { state: "pending", delay, error: "why" };
    assert.deepEqual(decide(later, "why", { ...policy, ...change }), expected, JSON.stringify(change));
  }
});

Deno.test("what has asked for a later try as often as it may has failed when it asks once more", () => {
  const later: Outcome = { kind: "exited", code: 75 };
  const spent = { ...policy, postponed: 3, maxPostponed: 3 };
  assert.deepEqual(decide(later, "why", spent), { state: "failed", delay: 2000, error: "why" });
  assert.deepEqual(decide(later, "why", { ...spent, maxRetries: 0 }), { state: "dead", error: "why" });
});

Deno.test("a job that always fails runs max_retries + 1 times", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.constantFrom(...failures), (maxRetries, outcome) => {
      let attempts = 1;
      while (decide(outcome, "why", { ...policy, maxRetries, attempts }).state === "failed") attempts++;
      assert.equal(attempts, maxRetries + 1);
    }),
  );
});

Deno.test("a status that is not retried is dead at once, with the error and the reason", () => {
  const dead = (status: number): NextStep => ({
    state: "dead",
    error: "why",
    reason: `exit status ${status} is not retried`,
  });
  const exit = (code: number): Outcome => ({ kind: "exited", code });
  const killed: Outcome = { kind: "signaled", signal: "SIGKILL", code: 137 };
  const retry: NextStep = { state: "failed", delay: 2000, error: "why" };
  const later: NextStep = { state: "pending", delay: 2000, error: "why" };
  const cases: Array<[Outcome, Pick<RetryPolicy, "retryOn" | "noRetryOn">, NextStep]> = [
    [exit(1), { retryOn: [1] }, retry],
    [exit(2), { retryOn: [1] }, dead(2)],
    [exit(2), { retryOn: [] }, dead(2)],
    [exit(1), { noRetryOn: [2] }, retry],
    [exit(2), { noRetryOn: [2, 3] }, dead(2)],
    [exit(2), { retryOn: [1], noRetryOn: [3] }, dead(2)],
    // Changed one after the other, both lists can have it.
    [exit(2), { retryOn: [2], noRetryOn: [2] }, dead(2)],
    [killed, { retryOn: [1] }, dead(137)],
    [killed, { retryOn: [137] }, retry],
    [killed, { noRetryOn: [137] }, dead(137)],
    [exit(75), { retryOn: [1] }, later],
    [exit(75), { noRetryOn: [1] }, later],
    [exit(75), { noRetryOn: [75] }, dead(75)],
    [exit(0), { retryOn: [], noRetryOn: [1] }, { state: "completed" }],
  ];
  for (const [outcome, rules, expected] of cases) {
    const step = decide(outcome, "why", { ...policy, ...rules });
    assert.deepEqual(step, expected, JSON.stringify([outcome, rules]));
  }
});

Deno.test("what ends without a status of the command is retried whatever the rules are", () => {
  const statuses = fc.array(fc.integer({ min: 1, max: 255 }));
  const without = failures.filter((outcome) => !("code" in outcome));
  fc.assert(
    fc.property(statuses, statuses, fc.constantFrom(...without), (retryOn, noRetryOn, outcome) => {
      const step = decide(outcome, "why", { ...policy, retryOn, noRetryOn });
      assert.deepEqual(step, { state: "failed", delay: 2000, error: "why" });
    }),
  );
});

Deno.test("with the two lists apart every status is either retried or not", () => {
  const statuses = fc.uniqueArray(fc.integer({ min: 1, max: 255 }).filter((status) => status !== 75));
  fc.assert(fc.property(statuses, fc.integer({ min: 1, max: 254 }), (listed, status) => {
    const only = isNotRetried(status, { retryOn: listed });
    assert.equal(only, status !== 75 && !listed.includes(status));
    assert.equal(isNotRetried(status, { noRetryOn: listed }), listed.includes(status));
  }));
});

Deno.test("a later try is put off by at least a second, whatever the chance", () => {
  const later: Outcome = { kind: "exited", code: 75 };
  fc.assert(fc.property(part, part, (jitter, random) => {
    const step = nextStep(later, "why", { ...policy, jitter }, random);
    assert.ok(step.state === "pending" && step.delay! >= 1000 && step.delay! <= 2000);
  }));
});
