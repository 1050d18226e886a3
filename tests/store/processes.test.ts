/** Many processes on one database, on every driver. */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { driverTest } from "../helpers/driver_test.ts";
import { drivers, type Place } from "../helpers/drivers.ts";
import { storeProcesses } from "../helpers/store_processes.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { newJobs } from "./suite/harness.ts";

function test(name: string, body: (place: Place) => Promise<void>): void {
  for (const driver of drivers) {
    driverTest(driver, name, async () => {
      await using folder = await temporaryFolder();
      await using place = driver.place(folder.path);
      await body(place);
      await place.assertSound();
    });
  }
}

test("processes that claim at once get every job exactly once", async ({ url }) => {
  const names = Array.from({ length: 400 }, (_, number) => `job-${number}`);
  {
    await using store = await openStore(url, { missing: "create", durable: false });
    await store.enqueue(newJobs(...names));
  }
  const reports = await storeProcesses(4, url, { task: "claim" });
  assert.deepEqual(reports.flatMap(({ claimed }) => claimed).sort(), names.toSorted());
});

test("processes that open a new database at once all succeed, and one of them made it", async ({ url }) => {
  const reports = await storeProcesses(20, url, { task: "claim" });
  assert.deepEqual(reports.flatMap(({ notified }) => notified), [
    "Database schema initialized successfully.",
  ]);
});
