/** A process that enqueues jobs without end, as `queuectl enqueue` does: tests/helpers/load.ts starts it. */

import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../src/store/open.ts";
import { newJob } from "../store/suite/harness.ts";

const [file, prefix, checkpoints] = Deno.args;

await using store = await openStore(file, { missing: "create", durable: true });
// SQLite would do it by itself, but too seldom for a short test.
using other = new DatabaseSync(file);
const checkpoint = other.prepare("PRAGMA wal_checkpoint(PASSIVE)");

for (let number = 1;; number++) {
  const id = `${prefix}-${number}`;
  // Sometimes a batch, whose commit is longer.
  const jobs = number % 10 === 0 ? [id, `${id}-b`, `${id}-c`, `${id}-d`] : [id];
  await store.enqueue(jobs.map((id) => newJob(id, { command: ":" })));
  const length = Deno.statSync(`${file}-wal`).size;
  console.log(jobs.map((id) => `${id} ${length}`).join("\n"));
  if (checkpoints === "checkpoints" && number % 7 === 0) checkpoint.all();
  await new Promise((resolve) => setTimeout(resolve, 2));
}
