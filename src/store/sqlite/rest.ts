/** What a plain `enqueue` does not need: loaded when it is asked for. */

export { operationsOn } from "../operations/operations.ts";
export { engineOn } from "./engine.ts";
export { exchange } from "./exchange.ts";
export { availability, isWorkLeft } from "./next_job.ts";
export { heartbeat, register, takeOver } from "./processes.ts";
export { queues } from "./queues.ts";
