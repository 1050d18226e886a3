/** Renews a lease in time, also when its length is changed meanwhile. */

export interface Heartbeat {
  /** Beats now, and from now on at the interval that the lease asks for now. */
  beatNow(): void;
  /** No beat begins any more; resolves when none is underway. */
  stop(): Promise<void>;
}

/** Milliseconds for which the same failure is reported once. */
const reportInterval = 10_000;

/**
 * Calls `beat` three times within each lease (in milliseconds, asked for anew every time), never twice at once. What
 * `beat` throws is given to `report`, but not again and again; then the next one comes sooner.
 */
export function startHeartbeat(
  lease: () => number,
  beat: () => Promise<void>,
  report: (error: Error) => void,
): Heartbeat {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let beating: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let failed = false;
  let reported = { message: "", at: -Infinity };

  function tell(error: Error): void {
    const at = performance.now();
    if (error.message === reported.message && at - reported.at < reportInterval) return;
    reported = { message: error.message, at };
    report(error);
  }

  function beatOnce(): void {
    // Who asks for one may not know yet that it is over.
    if (stopped) return;
    if (beating) again = true;
    else beating = beatAll().then(schedule);
  }

  async function beatAll(): Promise<void> {
    do {
      again = false;
      failed = false;
      await beat().catch((error) => {
        failed = true;
        tell(error);
      });
    } while (again && !stopped);
  }

  function schedule(): void {
    beating = undefined;
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(beatOnce, lease() / (failed ? 10 : 3));
  }

  schedule();
  return {
    beatNow: beatOnce,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await beating;
    },
  };
}
