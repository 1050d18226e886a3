/** The store alone, without processes. */

import type { Store } from "../../src/store/store.ts";
import { connect } from "../../src/store/sqlite/database.ts";
import { claim, finished, join, newJob, success } from "../store/suite/harness.ts";
import { bareClaimAndFinish } from "./bare_sqlite.ts";
import { type BenchQueue, benchQueue, timed } from "./queue.ts";
import { comparison, type Row } from "./report.ts";
import { interleaved, median } from "./statistics.ts";

const [jobs, slots] = [64_000, 32];

/** Claims and records all jobs as a worker with 32 slots does. */
export async function finishAll(store: Store): Promise<void> {
  const worker = await join(store);
  for (let running = await claim(store, worker, slots); running.length > 0;) {
    const results = running.map((run) => finished(run, success));
    running = (await store.exchange(worker, results, slots)).claims;
  }
}

/** Jobs a second. */
async function claimAndFinish(): Promise<number> {
  await using queue = await benchQueue(jobs);
  const { store } = queue;
  const time = await timed(() => finishAll(store));
  const { completed } = await store.counts();
  if (completed !== jobs) throw new Error(`${completed} of ${jobs} jobs were completed`);
  return jobs / time * 1000;
}

/** Claim and finish in batches. */
export async function storeAlone(rounds: number): Promise<Row[]> {
  const results = await interleaved(rounds, {
    store: claimAndFinish,
    bare: () => bareClaimAndFinish(jobs, slots),
  });
  const figure = `claim and finish in the store, batches of ${slots}`;
  return [
    { figure, unit: "jobs/s", value: median(results.store), target: { atLeast: 80_000 } },
    comparison(figure, "jobs/s", results.store, "the rows changed, no more", results.bare),
  ];
}

/** What a finished job without output takes on the disk. */
export async function bytesOfJob(): Promise<Row[]> {
  const count = 10_000;
  await using empty = await benchQueue();
  await using queue = await benchQueue();
  const ids = () => crypto.randomUUID();
  await queue.store.enqueue(Array.from({ length: count }, () => newJob(ids(), { command: "true" })));
  await finishAll(queue.store);
  return [{
    figure: "database for one finished job without output",
    unit: "bytes",
    value: (bytesOf(queue) - bytesOf(empty)) / count,
    target: { atMost: 400 },
  }];
}

/** The length of the database once its log is moved into it. */
function bytesOf(queue: BenchQueue): number {
  const database = connect(queue.database, false, Date.now);
  const [pages, size] = ["page_count", "page_size"].map((name) =>
    Number(database.prepare(`PRAGMA ${name}`).get()![name])
  );
  database.close();
  return pages * size;
}
