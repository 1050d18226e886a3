/**
 * What acts on jobs that wait for one another cost while others wait for the lock: as many statements for a large graph as
 * for a small one, and no more rows than in proportion to its dependencies. Work is counted, not time.
 */

import assert from "node:assert/strict";
import type { Claim, NewJob } from "../../src/job/job.ts";
import type { Selection } from "../../src/store/job_filter.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { engineOn as postgresEngine } from "../../src/store/postgres/engine.ts";
import { exchange as postgresExchange } from "../../src/store/postgres/claim_and_record.ts";
import { createRequests } from "../../src/store/postgres/unanswered_requests.ts";
import { enqueue as postgresEnqueue } from "../../src/store/postgres/enqueue.ts";
import { operationsOn } from "../../src/store/operations/operations.ts";
import { engineOn as sqliteEngine } from "../../src/store/sqlite/engine.ts";
import { enqueue as sqliteEnqueue } from "../../src/store/sqlite/enqueue.ts";
import { exchange as sqliteExchange } from "../../src/store/sqlite/claim_and_record.ts";
import { countingPostgres, countingSqlite, type Work } from "../helpers/counted_work.ts";
import { driverTest } from "../helpers/driver_test.ts";
import { postgresSchema, postgresServer } from "../helpers/postgres_database.ts";
import { connectForTests } from "../helpers/postgres_test.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { claimOne, failure, finished, join, newJob } from "./suite/harness.ts";

/** The acts of a driver, counted. */
interface Acts {
  work: Work;
  scans: ReadonlySet<string>;
  enqueue(jobs: readonly NewJob[]): Promise<unknown>;
  fail(worker: number, run: Claim): Promise<unknown>;
  cancel(selection: Selection): Promise<unknown>;
  retry(selection: Selection): Promise<unknown>;
  remove(selection: Selection): Promise<unknown>;
}

interface Driver {
  name: string;
  ignore: boolean;
  /** A queue of its own: a store for what is not counted, and the acts. */
  open(stack: AsyncDisposableStack): Promise<{ store: Store; acts: Acts }>;
}

const drivers: Driver[] = [
  {
    name: "sqlite",
    ignore: false,
    async open(stack) {
      const { path } = stack.use(await temporaryFolder());
      const file = `${path}/queue.db`;
      const store = stack.use(await openStore(file, { missing: "create", durable: false }));
      const { database, work, scans } = countingSqlite(file, [
        "jobs",
        "dependencies",
        "edge",
        "parent",
        "child",
      ]);
      stack.defer(() => database.close());
      const acts: Acts = {
        work,
        scans,
        enqueue: (jobs) => sqliteEnqueue(database, jobs),
        fail: (worker, run) => sqliteExchange(database, worker, "w", [finished(run, failure)], 0),
        ...operationsOn(sqliteEngine(database), { first: Infinity }),
      };
      return { store, acts };
    },
  },
  {
    name: "postgres",
    ignore: postgresServer === undefined,
    async open(stack) {
      const { url } = stack.use(postgresSchema());
      const store = stack.use(await openStore(url, { missing: "create", durable: false }));
      const { database, work } = countingPostgres(await connectForTests(url));
      stack.defer(() => database.close());
      const requests = createRequests();
      const acts: Acts = {
        work,
        scans: new Set(),
        enqueue: (jobs) => postgresEnqueue(database, jobs),
        fail: (worker, run) =>
          postgresExchange(database, requests, {
            worker,
            workerName: "w",
            finished: [finished(run, failure)],
            want: 0,
            begun: [],
          }),
        ...operationsOn(postgresEngine(database), { first: Infinity }),
      };
      return { store, acts };
    },
  },
];

const job = (number: number, after: number[] = [], fields: Partial<NewJob> = {}) =>
  newJob(`j${number}`, { maxRetries: 0, after: after.map((parent) => `j${parent}`), ...fields });

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** Graphs with about so many dependencies; the first job is the one that all others wait for in the end. */
const graphs: Record<string, (edges: number) => NewJob[]> = {
  "each waits for all before it": (edges) =>
    numbers(Math.round((1 + Math.sqrt(1 + 8 * edges)) / 2)).map((number) => job(number, numbers(number))),
  "a chain": (edges) => numbers(edges + 1).map((number) => job(number, number === 0 ? [] : [number - 1])),
  "all wait for one": (edges) => numbers(edges + 1).map((number) => job(number, number === 0 ? [] : [0])),
};

/** Each act by its name, in an order in which all of them find something to do. */
async function workOfEach(driver: Driver, jobs: readonly NewJob[]): Promise<Record<string, Work>> {
  await using stack = new AsyncDisposableStack();
  const { store, acts } = await driver.open(stack);
  const found: Record<string, Work> = {};
  async function count(name: string, act: () => Promise<unknown>): Promise<void> {
    Object.assign(acts.work, { statements: 0, rows: 0 });
    await act();
    found[name] = { ...acts.work };
  }
  const states = async () => {
    const { cancelled, dead, pending } = await store.counts();
    return { cancelled, dead, pending };
  };
  const others = jobs.length - 1;
  await store.enqueue(jobs);
  const worker = await join(store, { lease: 3_600_000 });
  const run = await claimOne(store, worker);
  await count("the end of a run", () => acts.fail(worker, run));
  assert.deepEqual(await states(), { cancelled: others, dead: 1, pending: 0 });
  await count("retry of one", () => acts.retry(["j0"]));
  assert.deepEqual(await states(), { cancelled: 0, dead: 0, pending: jobs.length });
  await count("cancel of one", () => acts.cancel(["j0"]));
  assert.deepEqual(await states(), { cancelled: jobs.length, dead: 0, pending: 0 });
  await count("retry of all", () => acts.retry("all"));
  await count("cancel of all", () => acts.cancel("all"));
  await acts.retry("all");
  await count("rm of one", () => acts.remove(["j0"]));
  assert.deepEqual(await states(), { cancelled: others, dead: 0, pending: 0 });
  await count("rm of all", () => acts.remove("all"));
  assert.deepEqual(await store.check(), []);
  // Read once: whether there are dependencies at all, and the jobs of a selection that is all of them.
  const once = /(SELECT 1 FROM dependencies LIMIT 1|FROM \(SELECT seq AS seq FROM jobs WHERE [^]*)$/;
  assert.deepEqual([...acts.scans].filter((scan) => !once.test(scan)), []);
  return found;
}

const [few, many] = [100, 400];
/** By so much rows may grow where the dependencies are four times as many: work that grows with their square takes 16. */
const most = 6;

for (const driver of drivers) {
  for (const [name, graph] of Object.entries(graphs)) {
    driverTest(driver, `acts on a graph where ${name} do no more than it has dependencies`, async () => {
      const small = await workOfEach(driver, graph(few));
      const large = await workOfEach(driver, graph(many));
      for (const [act, { statements, rows }] of Object.entries(small)) {
        const grown = large[act];
        // Removing has a statement for the attempts of each job.
        const perJob = driver.name === "sqlite" && act.startsWith("rm of") ? 2 : 0;
        const jobs = graph(many).length;
        assert.ok(
          grown.statements <= statements + 8 + perJob * jobs,
          `${act}: ${statements} statements, then ${grown.statements}`,
        );
        assert.ok(grown.rows <= Math.max(rows, few) * most, `${act}: ${rows} rows, then ${grown.rows}`);
      }
    });
  }

  driverTest(driver, "new jobs that replace many others do no more than there are", async () => {
    async function workFor(count: number): Promise<Work> {
      await using stack = new AsyncDisposableStack();
      const { store, acts } = await driver.open(stack);
      const keyed = (prefix: string) =>
        numbers(count).map((number) =>
          newJob(`${prefix}${number}`, { uniqueKey: `key ${number}`, onDuplicate: "replace" })
        );
      await store.enqueue(keyed("old"));
      await acts.enqueue(keyed("new"));
      assert.equal((await store.counts()).cancelled, count);
      return acts.work;
    }
    const [small, large] = [await workFor(few), await workFor(many)];
    assert.ok(large.rows <= Math.max(small.rows, few) * most, `${small.rows} rows, then ${large.rows}`);
    assert.ok(large.statements <= small.statements * most, `${small.statements}, then ${large.statements}`);
    if (driver.name === "postgres") assert.ok(large.statements <= small.statements + 8);
  });
}
