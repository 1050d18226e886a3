/** Stops every manager of a database, from any terminal: asks through the store, and waits. */

import type { RegisteredProcess, Store } from "../store/store.ts";
import { delay } from "./delay.ts";
import { findGone, takeSnapshot } from "./processes.ts";

/** Milliseconds between two looks at the store, and between two looks at the processes of this host. */
const storeInterval = 50;
const hostInterval = 1000;

/**
 * Asks all managers and workers to stop, giving running commands `grace` milliseconds, and waits until they are gone.
 * Resolves to the number of managers that stopped.
 */
export async function stopWorkers(store: Store, options: { grace: number }): Promise<number> {
  let gone = await goneProcesses(await store.processes());
  const managers = await store.requestStop({ grace: options.grace }, gone);
  for (let nextLook = performance.now() + hostInterval;;) {
    const processes = await store.processes();
    if (performance.now() >= nextLook) {
      gone = await goneProcesses(processes);
      nextLook = performance.now() + hostInterval;
    }
    // A process whose lease is over counts as gone; one that hangs is not waited for for ever.
    if (processes.every((process) => process.stop === null || process.expired || gone.includes(process.id))) {
      break;
    }
    await delay(storeInterval);
  }
  return managers.length;
}

async function goneProcesses(processes: readonly RegisteredProcess[]): Promise<number[]> {
  return processes.length === 0 ? [] : findGone(processes, await takeSnapshot());
}
