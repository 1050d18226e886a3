/** Waiting, in milliseconds of the monotonic clock. */

/** The longest time that a timer takes (2^31 - 1 ms, 24 days). */
const longestTimer = 2 ** 31 - 1;

/** Calls `action` after the given milliseconds, however many; not any more once what is returned was called. */
export function after(milliseconds: number, action: () => void): () => void {
  const until = performance.now() + milliseconds;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (left: number) => timer = setTimeout(look, Math.min(Math.ceil(left), longestTimer));
  function look(): void {
    const left = until - performance.now();
    if (left > 0) wait(left);
    else action();
  }
  wait(milliseconds);
  return () => clearTimeout(timer);
}

/** A time that runs out, and stands still while it is paused. */
export interface Countdown {
  pause(): void;
  resume(): void;
  /** Ends it: it does not run out any more. */
  stop(): void;
}

/** Calls `action` once it has run for the given milliseconds, however many. */
export function countDown(milliseconds: number, action: () => void): Countdown {
  let left = milliseconds;
  let since = 0;
  let stopTimer: (() => void) | undefined;
  let isOver = false;
  function resume(): void {
    if (isOver || stopTimer) return;
    since = performance.now();
    stopTimer = after(left, () => {
      isOver = true;
      action();
    });
  }
  function pause(): void {
    if (!stopTimer) return;
    stopTimer();
    stopTimer = undefined;
    left -= performance.now() - since;
  }
  resume();
  return {
    pause,
    resume,
    stop() {
      isOver = true;
      stopTimer?.();
    },
  };
}

/** Resolves after the given milliseconds, however many, or as soon as the signal is aborted. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || milliseconds <= 0) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stop();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const stop = after(milliseconds, done);
    signal?.addEventListener("abort", done);
  });
}
