/** Lists of jobs by filters, in orders, page by page. */

import assert from "node:assert/strict";
import { jobStates } from "../../../src/job/job.ts";
import {
  type JobFilter,
  type JobKind,
  jobViews,
  type ListFilter,
  type Position,
  positionOf,
  type Sort,
  sortFields,
} from "../../../src/store/job_filter.ts";
import { addOneOfEach } from "./every_state.ts";
import { type Case, claim, ids, join, newJob, newJobs, type Subject } from "./harness.ts";

const all = ["dead", "completed", "failed", "due", "cancelled", "processing", "pending"];

async function assertListed(subject: Subject, filter: JobFilter, expected: readonly string[]): Promise<void> {
  assert.deepEqual(
    ids(await subject.store.list({ ...filter, limit: 100 })),
    expected,
    JSON.stringify(filter),
  );
}

export function listCases(test: Case): void {
  test("list takes several states, and views of those that are pending or failed", async (subject) => {
    await addOneOfEach(subject);
    const cases: Array<[JobKind[], string[]]> = [
      [[...jobStates], all],
      [["pending", "dead"], ["dead", "pending"]],
      [["failed"], ["failed", "due"]],
      [["scheduled"], ["failed"]],
      [["waiting"], ["due", "pending"]],
      [["scheduled", "waiting"], ["failed", "due", "pending"]],
      [["pending", "waiting", "pending"], ["due", "pending"]],
      [["completed", "processing", "scheduled"], ["completed", "failed", "processing"]],
      [["cancelled", "processing"], ["cancelled", "processing"]],
      [[], []],
    ];
    for (const [kinds, expected] of cases) await assertListed(subject, { kinds }, expected);
    // Its time has come, though no claim has seen that yet.
    subject.clock.advance(1_000_000);
    await assertListed(subject, { kinds: ["scheduled"] }, []);
    await assertListed(subject, { kinds: ["waiting"] }, ["failed", "due", "pending"]);
  });

  test("the jobs of a kind are the same where they are few and where they are most", async (subject) => {
    await addOneOfEach(subject);
    const kinds = [...jobStates, ...jobViews];
    const before = await Promise.all(kinds.map((kind) => subject.store.list({ kinds: [kind], limit: 9 })));
    await subject.store.enqueue(newJobs(...Array.from({ length: 30 }, (_, number) => `more-${number}`)));
    for (const [index, kind] of kinds.entries()) {
      const after = await subject.store.list({ kinds: [kind], limit: 100 });
      assert.deepEqual(after.filter(({ id }) => !id.startsWith("more")), before[index], kind);
    }
  });

  test("list looks for a text in commands and ids, whatever the case of A to Z, with no signs for anything", async (subject) => {
    await subject.store.enqueue([
      newJob("one", { command: "make ALL" }),
      newJob("Make-2", { command: "x" }),
      newJob("three", { command: "100% of a_b \\ ä" }),
      newJob("four", { command: "100 of axb Ä" }),
    ]);
    const cases: Array<[string, string[]]> = [
      ["MAKE", ["one", "Make-2"]],
      ["e al", ["one"]],
      ["0%", ["three"]],
      ["a_b", ["three"]],
      ["\\", ["three"]],
      ["ä", ["three"]],
      ["nothing", []],
      ["'", []],
    ];
    for (const [search, expected] of cases) await assertListed(subject, { search }, expected);
    await assertListed(subject, { search: "o", kinds: ["dead"] }, []);
    await assertListed(subject, { search: "o", kinds: ["pending", "dead"] }, ["one", "three", "four"]);
  });

  test("list takes times by the store's clock", async (subject) => {
    const { clock, store } = subject;
    const start = clock.now();
    await addOneOfEach(subject);
    await assertListed(subject, { createdSince: { ago: 0 } }, ["pending"]);
    await assertListed(subject, { createdSince: { ago: 1000 } }, ["processing", "pending"]);
    await assertListed(subject, { createdSince: { at: start + 1000 } }, all.slice(1));
    await assertListed(subject, { createdSince: { at: start + 1001 } }, all.slice(4));
    await assertListed(subject, { createdSince: { ago: 3_600_000 } }, all);
    await assertListed(subject, { createdSince: { at: start + 10 ** 12 } }, []);
    await assertListed(subject, { unchangedSince: { ago: 4000 } }, ["dead", "completed", "failed"]);
    await assertListed(subject, { unchangedSince: { at: start } }, ["dead"]);
    // A clock that goes back hides nothing, and a queue of days is looked through no further than it has to be.
    clock.advance(-3_600_000);
    await store.enqueue(newJobs("earlier"));
    await assertListed(subject, { createdSince: { at: start } }, all);
    for (let day = 0; day < 9; day++) {
      clock.advance(86_400_000);
      await store.enqueue(newJobs(`day-${day}`));
    }
    await assertListed(subject, { createdSince: { ago: 86_400_000 } }, ["day-7", "day-8"]);
    await assertListed(
      subject,
      { createdSince: { at: 0 } },
      (await store.list({ limit: 99 })).map(({ id }) => id),
    );
  });

  test("list of an empty queue has nothing in any order", async (subject) => {
    await assertListed(subject, { createdSince: { ago: 1000 }, search: "a", kinds: ["waiting"] }, []);
    for (const by of sortFields) {
      const sort = { by, descending: true };
      await assertListed(subject, { sort } as JobFilter, []);
      assert.deepEqual(await subject.store.keys({ sort, limit: Infinity }), []);
    }
  });

  test("list sorts by every field, both ways, those of one value as they came", async ({ store, clock }) => {
    await store.enqueue([newJob("b", { priority: 1 }), newJob("C", { attempts: 3 })]);
    clock.advance(1000);
    await store.enqueue([newJob("a", { priority: 1 }), newJob("ä", { priority: -1 })]);
    await store.cancel(["b"]);
    const expected: Record<Sort["by"], string[]> = {
      created: ["b", "C", "a", "ä"],
      updated: ["C", "b", "a", "ä"],
      priority: ["ä", "C", "b", "a"],
      attempts: ["b", "a", "ä", "C"],
      state: ["b", "C", "a", "ä"],
      id: ["C", "a", "b", "ä"],
    };
    for (const by of sortFields) {
      const ascending = { by, descending: false };
      assert.deepEqual(ids(await store.list({ sort: ascending, limit: 9 })), expected[by], by);
      assert.deepEqual(ids(await store.list({ sort: ascending, limit: 2 })), expected[by].slice(0, 2), by);
      const descending = await store.list({ sort: { by, descending: true }, limit: 9 });
      // Of one priority as they run.
      const backwards = by === "priority" ? ["b", "a", "C", "ä"] : expected[by].toReversed();
      assert.deepEqual(ids(descending), backwards, by);
    }
  });

  test("pages give every job once, in every order, though others come and go", async (subject) => {
    const { store, clock } = subject;
    await addOneOfEach(subject);
    const orders: Array<Sort | undefined> = [
      undefined,
      ...sortFields.flatMap((by) => [{ by, descending: false }, { by, descending: true }]),
    ];
    for (const [number, sort] of orders.entries()) {
      for (const kinds of [undefined, ["dead", "completed", "failed", "scheduled"] as const]) {
        const filter: Omit<ListFilter, "limit"> = { sort, kinds };
        const whole = ids(await store.list({ ...filter, limit: 100 }));
        const pages: string[] = [];
        let after: Position | undefined;
        for (;;) {
          const page = await store.list({ ...filter, after, limit: 2 });
          if (page.length === 0) break;
          // The newest is last, and the next page is older.
          if (sort) pages.push(...ids(page));
          else pages.unshift(...ids(page));
          after = positionOf(sort ? page.at(-1)! : page[0], sort?.by ?? "created");
        }
        assert.deepEqual(pages, whole, JSON.stringify(filter));
      }
      clock.advance(1);
      await store.enqueue(newJobs(`more-${number}`));
    }
  });

  test("keys are those of the list, and give its jobs back where they are still of the filter", async (subject) => {
    const { store } = subject;
    await addOneOfEach(subject);
    const filters: Array<Omit<ListFilter, "limit">> = [
      {},
      { kinds: ["pending", "failed", "waiting"] },
      { search: "d", sort: { by: "id", descending: true } },
      { sort: { by: "updated", descending: false } },
      { kinds: ["failed", "dead", "scheduled"], sort: { by: "updated", descending: true } },
      { kinds: ["pending", "completed"], sort: { by: "id", descending: false } },
    ];
    for (const filter of filters) {
      for (const limit of [0, 2, 100, Infinity]) {
        const listed = await store.list({ ...filter, limit });
        assert.deepEqual(await store.keys({ ...filter, limit }), listed.map(({ seq }) => seq));
      }
    }
    const keys = await store.keys({ kinds: ["waiting"], limit: 10 });
    assert.deepEqual(ids(await store.list({ keys: [...keys, 10_000], limit: 10 })), ["due", "pending"]);
    await claim(store, await join(store));
    assert.deepEqual(ids(await store.list({ kinds: ["waiting"], keys, limit: 10 })), ["pending"]);
  });

  test("pages of keys follow one another by their ends, also when the last job changes behind them", async (subject) => {
    const { store, clock } = subject;
    await store.enqueue(newJobs(...Array.from({ length: 10 }, (_, number) => `job-${number}`)));
    for (const by of sortFields) {
      for (const sort of [undefined, { by, descending: false }, { by, descending: true }]) {
        const all = await store.keys({ sort, limit: Infinity });
        if (sort === undefined) all.reverse();
        const found: number[] = [];
        let after: Position | undefined;
        do {
          const { keys, end } = await store.pageOfKeys({ sort, after, limit: 4 });
          if (sort === undefined) keys.reverse();
          if (after === undefined) assert.deepEqual([keys, end?.seq], [all.slice(0, 4), all[3]]);
          found.push(...keys);
          after = end ?? undefined;
          clock.advance(1000);
          await store.edit([`job-${keys.at(-1)! - 1}`], { priority: found.length }, undefined);
        } while (after !== undefined);
        // One that has changed may have gone to where it comes once more.
        const seen = [...new Set(found)].toSorted((a, b) => a - b);
        assert.deepEqual(seen, all.toSorted((a, b) => a - b), JSON.stringify(sort));
      }
    }
    assert.deepEqual(await store.pageOfKeys({ kinds: ["dead"], limit: 4 }), { keys: [], end: null });
    assert.deepEqual((await store.pageOfKeys({ limit: Infinity })).keys.length, 10);
  });
}
