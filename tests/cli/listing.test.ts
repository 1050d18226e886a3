/** Pages that are longer than is read at once. */

import assert from "node:assert/strict";
import { jobsOf } from "../../src/cli/arguments/pagination.ts";
import { drivers } from "../helpers/drivers.ts";
import { casesFor, ids, newJobs } from "../store/suite/harness.ts";

for (const { name, open, ignore } of drivers) {
  const test = casesFor(name, open, ignore);

  test("a job that was young enough is listed, however long its list is read", async ({ store, clock }) => {
    await store.enqueue(newJobs(...Array.from({ length: 1500 }, (_, number) => `job-${number}`)));
    const { jobs, next } = await jobsOf(store, { createdSince: { ago: 1000 } }, { limit: 1200 });
    clock.advance(10_000);
    const listed = await Array.fromAsync(jobs!);
    assert.deepEqual(ids(listed), Array.from({ length: 1200 }, (_, number) => `job-${number + 300}`));
    assert.equal(next, String(listed[0].seq));
  });
}
