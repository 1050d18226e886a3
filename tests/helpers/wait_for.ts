import assert from "node:assert/strict";

/**
 * Milliseconds after which a condition counts as never coming true: far more than any machine needs, unless
 * `QUEUECTL_TEST_PATIENCE` has less (seconds).
 */
const patience = 1000 * Number(Deno.env.get("QUEUECTL_TEST_PATIENCE") || 300);
const pollInterval = 20;

/**
 * Waits until `look` gives something other than undefined, null and false, and returns that. Fails, with what was
 * waited for and what `describe` says of the state it stopped in, when that takes longer than the patience.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  describe: () => unknown = () => "",
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) {
      return found as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > deadline) {
      const state = await describe();
      assert.fail(
        `waited in vain for: ${what}\n${typeof state === "string" ? state : JSON.stringify(state, null, 1)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval));
  }
}

/** What a promise gives; fails as {@link waitFor} does when that takes longer than the patience. */
export async function inTime<T>(what: string, promise: Promise<T>, describe: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () =>
      reject(new assert.AssertionError({ message: `waited in vain for: ${what}\n${describe()}` }));
    timer = setTimeout(fail, patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
