import { defaultQueueName } from "../../job/job.ts";
import { allQueues } from "../../store/queues.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output.ts";
import { queueName } from "../queue_name.ts";
import { print, printAll } from "../standard_streams.ts";

type Json = { json?: boolean };

/** Nothing of these queues is started any more; without a name, nothing at all. What runs goes on. */
export async function pause(this: Context, flags: Json, ...names: string[]): Promise<void> {
  const queues = [...new Set(names.map((name) => queueName(name)))];
  // Other queues than those of a new database are a mistake there, which must not leave one behind.
  const isOfAny = queues.every((name) => name === defaultQueueName);
  await using store = await openQueue(this, isOfAny ? "create" : "empty");
  await store.pauseQueues(queues.length > 0 ? queues : [allQueues], true);
  if (flags.json) return await print(answer(true, queues));
  if (queues.length > 0) return await printAll(queues.map((name) => `Queue ${name} paused.\n`));
  await print("All queues paused: what runs goes on, nothing else is started.\n");
}

/** These queues go on; without a name, all. */
export async function resume(this: Context, flags: Json, ...names: string[]): Promise<void> {
  const queues = [...new Set(names.map((name) => queueName(name)))];
  await using store = await openQueue(this, "empty");
  const paused = (await store.queues()).filter(({ paused }) => paused).map(({ name }) => name);
  await store.pauseQueues(queues.length > 0 ? queues : paused, false);
  if (flags.json) return await print(answer(false, queues));
  if (queues.length === 0) return await print("All queues resumed.\n");
  const rest = paused.includes(allQueues)
    ? '; but all queues together are paused: run "queuectl resume"'
    : "";
  await printAll(queues.map((name) => `Queue ${name} resumed${rest}.\n`));
}

/** What was done; without names to all queues. */
const answer = (paused: boolean, queues: readonly string[]) =>
  json({ paused, queues: queues.length > 0 ? queues : null }) + "\n";
