/** What managers and workers ask of a store: loaded when it is asked. */

export { exchange, outlook } from "./exchange.ts";
export { heartbeat, isRunning, leave, listProcesses, register, requestStop, takeOver } from "./processes.ts";
export { removeSignals } from "./signals.ts";
