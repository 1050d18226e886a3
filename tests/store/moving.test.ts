/** Moving a queue between all pairs of drivers; whatever is in it comes back as it was. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { moveQueue } from "../../src/store/transfer.ts";
import { type Driver, drivers } from "../helpers/drivers.ts";
import { queueRows } from "../helpers/queue_rows.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { claim, type Clock, finished, join, manualClock, newJob } from "./suite/harness.ts";
import { type End, movingCases, none, type Pair } from "./suite/moving.ts";

/** Makes two queues of these drivers, which have to be sound in the end. */
async function withPair(one: Driver, other: Driver, body: (pair: Pair) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const clock = manualClock();
  const end = async (driver: Driver): Promise<End & { assertSound(): Promise<void> }> => {
    const { path } = stack.use(await temporaryFolder());
    const place = stack.use(driver.place(path));
    return { url: place.url, connect: () => open(place.url, clock), assertSound: () => place.assertSound() };
  };
  const open = async (url: string, clock: Clock): Promise<Store> =>
    stores.use(await openStore(url, { missing: "create", durable: false, clock: clock.now }));
  const [from, to] = [await end(one), await end(other)];
  const stores = stack.use(new AsyncDisposableStack());
  await body({ from, to, clock });
  await stores.disposeAsync();
  await from.assertSound();
  await to.assertSound();
}

const pairs = drivers.flatMap((one) => drivers.map((other) => [one, other] as const));

for (const [one, other] of pairs) {
  const ignore = one.ignore || other.ignore;
  movingCases((name, body) =>
    Deno.test({
      name: `${one.name} → ${other.name}: ${name}`,
      ignore,
      fn: () => withPair(one, other, body),
    })
  );

  // No server keeps a NUL, and half of a character is none anywhere.
  const hasNul = one.name === "sqlite" && other.name === "sqlite";
  const text = fc.string({ unit: "grapheme", maxLength: 30 }).map((text) =>
    (hasNul ? text : text.replaceAll("\0", "")).toWellFormed()
  );
  const whole = (maximum: number) => fc.integer({ min: 0, max: maximum });
  const job = fc.record({
    command: text,
    attempts: whole(1_000_000),
    maxRetries: whole(1000),
    priority: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    timeout: fc.option(whole(100 * 365 * 86_400_000)),
    baseBackoff: fc.option(fc.double({ min: 0, max: 1000, noNaN: true }).map((value) => value + 0)),
    cwd: fc.option(text),
    env: fc.option(fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), text)),
  });
  const outcome = fc.constantFrom(
    { kind: "exited", code: 0 } as const,
    { kind: "exited", code: 255 } as const,
    { kind: "signaled", signal: "SIGTERM", code: 143 } as const,
    { kind: "timed_out", timeout: 1000 } as const,
    { kind: "spawn_failed", message: "none" } as const,
    { kind: "lost", message: "gone" } as const,
    { kind: "handed_back" } as const,
  );
  const round = fc.record({
    jobs: fc.array(job, { maxLength: 5 }),
    runs: fc.array(fc.record({ outcome, output: text, errorOutput: text }), { maxLength: 8 }),
    advance: whole(5000),
    cancel: fc.option(whole(20)),
    retry: fc.boolean(),
    purge: fc.boolean(),
  });

  Deno.test({
    name: `${one.name} → ${other.name}: any queue is the same there, and the same when it is back`,
    ignore,
    fn: () =>
      fc.assert(
        fc.asyncProperty(fc.array(round, { maxLength: 4 }), (rounds) =>
          withPair(one, other, async ({ from, to, clock }) => {
            const [source, target] = [await from.connect(), await to.connect()];
            const worker = await join(source);
            let count = 0;
            for (const { jobs, runs, advance, cancel, retry, purge } of rounds) {
              await source.enqueue(jobs.map((fields) =>
                newJob(`job ${count++}`, fields)
              ));
              const claims = await claim(source, worker, runs.length);
              clock.advance(advance);
              const results = claims.map((claim, index) => {
                const { outcome, output, errorOutput } = runs[index];
                return finished(claim, outcome, { output, errorOutput });
              });
              await source.exchange(worker, results, 0);
              const waiting = (await source.list({ limit: 1000 })).filter(({ state }) =>
                state === "pending" || state === "failed"
              );
              if (cancel !== null && waiting[cancel]) await source.cancel([waiting[cancel].id]);
              if (retry) await source.dlqRetry("all");
              if (purge) await source.dlqPurge("all");
            }
            await source.leave(worker);
            const before = await queueRows(from.url);
            await moveQueue(source, target, none);
            assert.deepEqual(await queueRows(to.url), before);
            assert.deepEqual([await source.check(), await target.check()], [[], []]);
            await moveQueue(target, source, none);
            assert.deepEqual(await queueRows(from.url), before);
          })),
        { numRuns: hasNul ? 60 : 12 },
      ),
  });
}
