/** Renews a lease in time, also when its length is changed meanwhile. */

export interface Heartbeat {
  /** Beats now, and from now on at the interval that the lease asks for now. */
  beatNow(): void;
  stop(): void;
}

/**
 * Calls `beat` three times within each lease (in milliseconds, asked for anew every time), never twice at once. What
 * `beat` throws is given to `report`; then the next one comes sooner.
 */
export function startHeartbeat(
  lease: () => number,
  beat: () => Promise<void>,
  report: (error: Error) => void,
): Heartbeat {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let beating = false;
  let again = false;
  let stopped = false;
  let failed = false;

  async function beatOnce(): Promise<void> {
    if (beating) {
      again = true;
      return;
    }
    beating = true;
    do {
      again = false;
      failed = false;
      await beat().catch((error) => {
        failed = true;
        report(error);
      });
    } while (again && !stopped);
    beating = false;
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(beatOnce, lease() / (failed ? 10 : 3));
  }

  schedule();
  return {
    beatNow: () => void beatOnce(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
