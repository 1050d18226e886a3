/** A queue in PostgreSQL, next to one in a file. The server is a throw-away one that waits for its disk. */

import postgres from "postgres";
import { openStore } from "../../src/store/open.ts";
import { delay } from "../../src/base/delay.ts";
import { startCluster } from "../helpers/postgres_cluster.ts";
import { claim, finished, join, newJob, success } from "../store/suite/harness.ts";
import { type BenchQueue, benchQueue, timed } from "./queue.ts";
import { comparison, type Row, type Target } from "./report.ts";
import { interleaved, median } from "./statistics.ts";
import { finishAll } from "./store.ts";

/** How many workers there are side by side. */
const workerCounts = [1, 2, 4, 8];
/** Jobs of one measurement without commands, and with. */
const [recorded, started] = [10_000, 1000];
/** Jobs of an hour's churn, and claims that are timed. */
const [churn, claims] = [1_000_000, 400];

/** Jobs of workers side by side; nothing where PostgreSQL is not installed. */
export async function postgresQueue(rounds: number): Promise<Row[]> {
  await using server = await startCluster([]);
  if (!server) return leftOut();
  let number = 0;
  const newUrl = () => `${server.url}&schema=bench_${number++}`;
  const rows: Row[] = [];
  for (const workers of workerCounts) rows.push(await claimAndFinish(rounds, workers, newUrl));
  for (const workers of workerCounts) rows.push(await trueJobs(rounds, workers, newUrl));
  return rows;
}

/** Jobs a second that some workers claim and record, each with 32 slots and a session of its own. */
async function claimAndFinish(rounds: number, workers: number, newUrl: () => string): Promise<Row> {
  const rate = async (url?: string) => {
    await using queue = await benchQueue(recorded, "true", url);
    await using stores = new AsyncDisposableStack();
    const all = await Promise.all(
      Array.from({ length: workers }, async () => stores.use(await connect(queue))),
    );
    const time = await timed(() => Promise.all(all.map(finishAll)));
    await assertCompleted(queue, recorded);
    return recorded / time * 1000;
  };
  const results = await interleaved(rounds, { postgres: () => rate(newUrl()), file: () => rate() });
  return comparison(
    `claim and finish in PostgreSQL, ${workers} workers`,
    "jobs/s",
    results.postgres,
    "in a file",
    results.file,
  );
}

/** Jobs a second of a command that does nothing. */
async function trueJobs(rounds: number, workers: number, newUrl: () => string): Promise<Row> {
  const rate = async (url?: string) => {
    await using queue = await benchQueue(started, "true", url);
    const time = await timed(() => queue.run(["worker", "start", "--count", String(workers), "--drain"]));
    await assertCompleted(queue, started);
    return started / time * 1000;
  };
  const results = await interleaved(rounds, { postgres: () => rate(newUrl()), file: () => rate() });
  return comparison(
    `true jobs in PostgreSQL, --count ${workers}`,
    "jobs/s",
    results.postgres,
    "in a file",
    results.file,
  );
}

/**
 * Claims of one job in a queue through which a million jobs have gone, next to those in a new one: at once after the burst,
 * and after the server's autovacuum has had its turn, which in an hour it has many times.
 */
export async function postgresChurn(rounds: number): Promise<Row[]> {
  await using server = await startCluster([]);
  if (!server) return leftOut();
  const [schema, batch] = ["bench_churn", 50_000];
  await using queue = await benchQueue(0, "true", `${server.url}&schema=${schema}`);
  await using fresh = await benchQueue(0, "true", `${server.url}&schema=bench_fresh`);
  const before = await claimTime(queue);
  for (let done = 0; done < churn; done += batch) {
    await queue.store.enqueue(Array.from({ length: batch }, () => newJob(crypto.randomUUID())));
    await using other = await connect(queue);
    await Promise.all([queue.store, other].map(finishAll));
  }
  const compare = async (figure: string, target?: Target) => {
    const results = await interleaved(rounds, {
      after: () => claimTime(queue),
      fresh: () => claimTime(fresh),
    });
    return comparison(figure, "µs", results.after, "in a new queue", results.fresh, target);
  };
  const gone = churn.toLocaleString("en").replaceAll(",", " ");
  const burst = await compare(`right after ${gone} jobs came and went`);
  await untilVacuumed(server.url, schema);
  return [
    { figure: `claim in PostgreSQL before ${gone} jobs came and went`, unit: "µs", value: before },
    burst,
    await compare("and after the next autovacuum", { atMost: 1.2 }),
  ];
}

/** Waits for the end of the next autovacuum of the jobs; the server looks whether one is due every minute. */
async function untilVacuumed(url: string, schema: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  const last = async () => {
    const [row] = await sql`SELECT last_autovacuum::text AS last FROM pg_stat_user_tables
      WHERE schemaname = ${schema} AND relname = 'jobs'`;
    return row?.last;
  };
  const first = await last();
  while (await last() === first) await delay(1000);
  await sql.end();
}

function leftOut(): Row[] {
  console.error("PostgreSQL is not installed: left out");
  return [];
}

/** Microseconds for a claim with the result of the one before: the median of some hundred, of jobs that it adds. */
async function claimTime({ store }: BenchQueue): Promise<number> {
  await store.enqueue(Array.from({ length: claims }, () => newJob(crypto.randomUUID())));
  const worker = await join(store);
  let running = await claim(store, worker);
  const times: number[] = [];
  for (let turn = 0; turn < claims; turn++) {
    const results = running.map((run) => finished(run, success));
    times.push(await timed(async () => running = (await store.exchange(worker, results, 1)).claims));
  }
  await store.exchange(worker, running.map((run) => finished(run, success)), 0);
  await store.leave(worker);
  return median(times) * 1000;
}

const connect = (queue: BenchQueue) => openStore(queue.database, { missing: "create", durable: false });

async function assertCompleted({ store }: BenchQueue, jobs: number): Promise<void> {
  const { completed } = await store.counts();
  if (completed !== jobs) throw new Error(`${completed} of ${jobs} jobs were completed`);
}
