/** How long a worker that was told to stop still tries to reach the store. */

import type { Store } from "../store/store.ts";
import { after } from "../base/delay.ts";

/** Milliseconds for which it tries to record what has ended. */
export const recordGrace = 15_000;
/** Milliseconds for which it tries to leave, and where it was told so again. */
const [leaveGrace, hurriedGrace] = [2000, 500];

export interface StorePatience {
  /** When the store is given up, by the monotonic clock. */
  readonly until: number;
  /** To be called when any of these changes. `isIdle`: it is to stop, and nothing runs; `results`: ends to be recorded. */
  update(work: { isIdle: boolean; isHurried: boolean; results: number }): void;
  /** Says nothing more of it. */
  end(): void;
}

/** Where a worker is to stop and nothing runs any more, the store is not waited for much longer; `changed` is called then. */
export function createStorePatience(
  store: Pick<Store, "hasten">,
  say: (text: string) => void,
  changed: () => void,
): StorePatience {
  let [current, until] = [Infinity, Infinity];
  let stopTelling = () => {};
  return {
    get until() {
      return until;
    },
    update({ isIdle, isHurried, results }) {
      const grace = isIdle ? graceFor(isHurried, results) : Infinity;
      if (grace === current) return;
      current = grace;
      until = performance.now() + grace;
      store.hasten(grace);
      changed();
      stopTelling();
      if (grace !== recordGrace) return;
      const runs = results === 1 ? "1 ended run" : `${results} ended runs`;
      // Mostly it is there, and nothing is to be told.
      stopTelling = after(
        1000,
        () => say(`waits up to ${recordGrace / 1000}s for the database, to record ${runs}`),
      );
    },
    end: () => stopTelling(),
  };
}

function graceFor(isHurried: boolean, results: number): number {
  if (isHurried) return hurriedGrace;
  return results > 0 ? recordGrace : leaveGrace;
}
