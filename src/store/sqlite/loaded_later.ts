/** What a plain `enqueue` does not need: loaded when it is asked for. */

export { operationsOn } from "../operations/operations.ts";
export { engineOn } from "./engine.ts";
export { exchange } from "./claim_and_record.ts";
export { availability, isWorkLeft } from "./availability.ts";
export { heartbeat, register, takeOver } from "./processes.ts";
export { queues } from "./queues.ts";
