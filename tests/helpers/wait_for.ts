import assert from "node:assert/strict";

/** Milliseconds after which a condition counts as never coming true: far more than any machine needs. */
const patience = 300_000;
const pollInterval = 20;

/**
 * Waits until `look` gives something other than undefined, null and false, and returns that. Fails, with what was
 * waited for and what `describe` says of the state it stopped in, when that takes longer than five minutes.
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
