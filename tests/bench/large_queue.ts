/** Whether a queue with a million jobs is claimed from as fast as a small one. */

import type { Store } from "../../src/store/store.ts";
import { finished, join, success } from "../store/suite/harness.ts";
import { filledQueue } from "./filled_queue.ts";
import { type BenchQueue, timed } from "./queue.ts";
import { comparison, type Row } from "./report.ts";
import { interleaved } from "./statistics.ts";

/** Microseconds for each of some claims of one job, which is recorded with the next one. */
async function claimTime(store: Store, worker: number, claims: number): Promise<number> {
  let running = (await store.exchange(worker, [], 1)).claims;
  const time = await timed(async () => {
    for (let claim = 0; claim < claims; claim++) {
      running = (await store.exchange(worker, running.map((run) => finished(run, success)), 1)).claims;
      if (running.length !== 1) throw new Error("there was nothing to claim");
    }
  });
  await store.exchange(worker, running.map((run) => finished(run, success)), 0);
  return time * 1000 / claims;
}

/** Claims at a million jobs, over claims at a thousand. */
export async function claims(rounds: number): Promise<Row[]> {
  const each = 500;
  const ready = each * (rounds + 2);
  await using small = await filledQueue({ ready: Math.max(1000, ready) });
  await using waiting = await filledQueue({ ready: 1_000_000 });
  await using beside = await filledQueue({ completed: 1_000_000, scheduled: 100_000, dead: 100_000, ready });
  await using few = await filledQueue({ completed: 1_000_000, scheduled: 100_000, dead: 100_000, ready: 10 });
  await using limited = await filledQueue({ paused: 500_000, full: 500_000, ready });
  await using limits = await filledQueue({ paused: 0, full: 1, ready });
  const time = async (queue: BenchQueue, count = each) => {
    const worker = await join(queue.store);
    return await claimTime(queue.store, worker, count);
  };
  const results = await interleaved(rounds, {
    small: () => time(small),
    waiting: () => time(waiting),
    beside: () => time(beside),
    limited: () => time(limited),
    limits: () => time(limits),
  });
  // Ten ready jobs are soon used up: once, without a comparison in rounds.
  const ten = await time(few, 9);
  const against = "1 000 waiting";
  return [
    comparison("claim at 1 000 000 waiting jobs", "µs", results.waiting, against, results.small, {
      atMost: 1.2,
    }),
    comparison(
      "claim beside 1 000 000 completed, 100 000 scheduled, 100 000 dead",
      "µs",
      results.beside,
      against,
      results.small,
      { atMost: 1.2 },
    ),
    comparison(
      "claim beside 500 000 waiting in a paused queue, 500 000 in a full one",
      "µs",
      results.limited,
      "the same limits, no jobs there",
      results.limits,
      { atMost: 1.2 },
    ),
    // It asks for the limits, and counts what runs.
    comparison("claim with a paused and a limited queue", "µs", results.limits, against, results.small),
    { figure: "the same with 10 ready jobs, once", unit: "µs", value: ten },
  ];
}
