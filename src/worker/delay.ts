/** Waiting, in milliseconds of the monotonic clock. */

/** The longest time that a timer takes (2^31 - 1 ms, 24 days). */
const longestTimer = 2 ** 31 - 1;

/** Resolves after the given milliseconds, however many, or as soon as the signal is aborted. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!signal?.aborted) {
    const left = until - performance.now();
    if (left <= 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.ceil(left), longestTimer));
      signal?.addEventListener("abort", done);
    });
  }
}
