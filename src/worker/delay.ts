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
