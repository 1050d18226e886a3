/**
 * Random numbers that a failed test can repeat: it names its seed, and `QUEUECTL_TEST_SEED` (or `QUEUECTL_STORM_SEED`)
 * sets it. Shared by the storm and the fault tests.
 */

/** Numbers that look random and follow from a seed. */
export interface Random {
  readonly seed: number;
  /** A number from 0 to 1, without 1. */
  next(): number;
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The seed that was asked for, or a new one. */
export function freshSeed(): number {
  const given = Deno.env.get("QUEUECTL_STORM_SEED") ?? Deno.env.get("QUEUECTL_TEST_SEED");
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/** The generator that a test uses; a new seed every time, unless one is given. */
export function seededRandom(seed = freshSeed()): Random {
  let state = seed >>> 0;
  // mulberry32: small, and good enough to choose places in a file.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    seed,
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    pick: (values) => values[below(values.length)],
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
