/** Random numbers that a failed test can repeat: it names its seed, and `QUEUECTL_TEST_SEED` sets it. */

/** Numbers that look random and follow from a seed. */
export interface Random {
  readonly seed: number;
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The generator that a test uses; a new seed every time, unless one is given. */
export function seededRandom(
  seed = Number(Deno.env.get("QUEUECTL_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 32)),
): Random {
  let state = seed >>> 0;
  // mulberry32: small, and good enough to choose places in a file.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (limit: number) => Math.floor(next() * limit);
  return { seed, below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}
