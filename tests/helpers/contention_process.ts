/**
 * A process that does one thing with a store, over and over, until its input ends: tests/helpers/contention.ts starts
 * it. Prints how often it did that; whatever it is told as an error ends it.
 */

import { openStore } from "../../src/store/open.ts";
import { newJob } from "../store/suite/harness.ts";

const [file, task, prefix] = Deno.args;

/** Jobs that wait, above which no more are added: they all have to be run in the end. */
const enough = 60;

console.log("ready");
let ended = false;
const ending = (async () => {
  const buffer = new Uint8Array(1);
  while (await Deno.stdin.read(buffer) !== null);
  ended = true;
})();

await using store = await openStore(file, { missing: "create", durable: true });
const ids: string[] = [];
let times = 0;
for (; !ended; times++) {
  if (task === "enqueue" && (await store.counts()).pending < enough) {
    const id = `${prefix}-${times}`;
    ids.push(id);
    // Every fourth one fails the first time, and is then dead.
    const fails = times % 4 === 0 ? `; [ "$(wc -l <ran.${id})" -gt 1 ]` : "";
    await store.enqueue([newJob(id, { command: `echo ran >>ran.${id}${fails}`, maxRetries: 0 })]);
  } else if (task === "retry") {
    await store.dlqRetry("all");
  } else if (task === "settings") {
    await store.setSetting("base-backoff", String(times % 5));
  } else {
    // All that is read is of one moment, whatever the others write.
    const jobs = await store.list({ limit: 20 });
    if (jobs.length > 0) await store.attempts(jobs[0].id);
    const counts = await store.counts();
    if (Object.values(counts).some((count) => count < 0)) throw new Error(JSON.stringify(counts));
  }
  // Signals and the end of the input get their turn.
  await new Promise((resolve) => setTimeout(resolve));
}
await ending;
console.log(JSON.stringify({ times, ids }));
