/** A process that opens a store: tests/helpers/store_processes.ts starts it, and lets it go once all are ready. */

import { openStore } from "../../src/store/open.ts";
import { claim, ids, join, newJobs } from "../store/suite/harness.ts";

const [file, task] = Deno.args;

console.log("ready");
for await (const _ of Deno.stdin.readable);

const notified: string[] = [];
await using store = await openStore(file, {
  missing: "create",
  durable: false,
  notify: (message) => notified.push(message),
});
const { pending } = await store.counts();
const claimed: string[] = [];
const modes: Record<string, string> = {};

if (task === "claim") {
  const worker = await join(store);
  for (let batch; (batch = ids(await claim(store, worker, 3))).length > 0;) claimed.push(...batch);
} else if (task === "modes") {
  await store.enqueue(newJobs("a"));
  // The file itself may be a link to another place.
  const place = Deno.realPathSync(file);
  for (const suffix of ["", "-wal", "-shm"]) {
    modes[suffix] = (Deno.statSync(place + suffix).mode! & 0o777).toString(8);
  }
}

console.log(JSON.stringify({ notified, pending, claimed, modes }));
