/** Stops managers of a database, all or those of some hosts, from any terminal: asks through the store, and waits. */

import type { RegisteredProcess, Store } from "../store/store.ts";
import { delay } from "./delay.ts";
import { findGone, takeSnapshot } from "./processes.ts";

/** Milliseconds between two looks at the store, and between two looks at the processes of this host. */
const storeInterval = 50;
const hostInterval = 1000;

/**
 * Asks all managers and workers to stop, or those of `hosts` (names as in their identities), giving running commands
 * `grace` milliseconds, and waits until they are gone. Resolves to the number of managers that stopped.
 */
export async function stopWorkers(
  store: Store,
  { grace, hosts }: { grace: number; hosts?: readonly string[] },
): Promise<number> {
  let gone = await goneProcesses(store, await store.processes());
  const managers = await store.requestStop({ grace }, gone, hosts);
  for (let nextLook = performance.now() + hostInterval;;) {
    const processes = (await store.processes()).filter(({ identity }) =>
      hosts?.includes(identity.host) ?? true
    );
    if (performance.now() >= nextLook) {
      gone = await goneProcesses(store, processes);
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

async function goneProcesses(store: Store, processes: readonly RegisteredProcess[]): Promise<number[]> {
  return processes.length === 0 ? [] : findGone(processes, await takeSnapshot(), store.shared);
}
