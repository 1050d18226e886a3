/** What managers and workers ask of a store: loaded when it is asked. */

export { exchange } from "./exchange.ts";
export { isWorkLeft, outlook } from "./next_job.ts";
export { heartbeat, isRunning, leave, listProcesses, register, requestStop, takeOver } from "./processes.ts";
export { removeSignals } from "./signals.ts";
