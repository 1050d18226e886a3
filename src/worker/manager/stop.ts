/** Stops managers of a database, all or those of some hosts, from any terminal: asks through the store, and waits. */

import { notEnded } from "../../store/errors.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { findGone, hostName, isAlive, takeSnapshot } from "../host/processes.ts";

/** Milliseconds between two looks at the store, and between two looks at the processes of this host. */
const storeInterval = 50;
const hostInterval = 1000;
/** Milliseconds over the grace after which a silent process hangs: one that cannot record what has ended needs 15 s. */
const patience = 30_000;

/**
 * Asks all managers and workers to stop, or those of `hosts` (names as in their identities), giving running commands
 * `grace` milliseconds, and waits until they are gone. Resolves to the number of managers that stopped. Throws `conflict`
 * when processes of this host do not end.
 */
export async function stopWorkers(
  store: Store,
  { grace, hosts }: { grace: number; hosts?: readonly string[] },
): Promise<number> {
  const isAsked = ({ identity }: RegisteredProcess) => hosts?.includes(identity.host) ?? true;
  const asked = new Map((await store.processes()).filter(isAsked).map((process) => [process.id, process]));
  let { gone, alive } = await lookAtHost(store, [...asked.values()]);
  const managers = await store.requestStop({ grace }, gone, hosts);
  const hangsAt = performance.now() + grace + patience;
  for (let nextLook = performance.now() + hostInterval;;) {
    const present = (await store.processes()).filter((process) => process.stop !== null && isAsked(process));
    for (const process of present) asked.set(process.id, process);
    if (present.length === 0 || performance.now() >= nextLook) {
      ({ gone, alive } = await lookAtHost(store, [...asked.values()]));
      nextLook = performance.now() + hostInterval;
    }
    // Of another host one counts as gone when its lease is over; of this one also one that others have taken for gone does not.
    const isSilent = ({ id, expired }: RegisteredProcess) =>
      expired || !present.some((other) => other.id === id);
    const left = [...asked.values()].filter((process) =>
      isSilent(process) ? alive.includes(process.id) : !gone.includes(process.id)
    );
    if (left.length === 0) return managers.length;
    const hanging = left.filter(isSilent);
    if (hanging.length > 0 && performance.now() >= hangsAt) throw notEnded(hanging);
    await delay(storeInterval);
  }
}

/** Which of the processes are gone, and which are seen to be alive; neither is known of those of other hosts. */
async function lookAtHost(
  store: Store,
  processes: readonly RegisteredProcess[],
): Promise<{ gone: number[]; alive: number[] }> {
  if (processes.length === 0) return { gone: [], alive: [] };
  const snapshot = await takeSnapshot();
  const host = hostName(snapshot);
  return {
    gone: findGone(processes, snapshot, store.shared),
    alive: processes.filter(({ identity }) => identity.host === host && isAlive(identity, snapshot)).map((
      { id },
    ) => id),
  };
}
