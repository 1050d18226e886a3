/** What commands ask of a store that a plain `enqueue` and workers do not: loaded when it is asked. */

export { cancel } from "./cancel.ts";
export { edit } from "./edit.ts";
export { hold, release } from "./hold.ts";
export { keys, list, pageOfKeys } from "./list.ts";
export { remove } from "./remove.ts";
export { retry } from "./retry.ts";
export { moveJobs, pauseQueues, queues, removeQueue, setQueue } from "./queues.ts";
export { signal } from "./signal.ts";
