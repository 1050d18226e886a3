/** Parts of the keys of jobs, which the search index tells apart, and spans of keys made of such parts. Pure. */

/** Keys in a part. */
export const partSize = 1024;

export const partOf = (key: number): number => Math.floor(key / partSize);

/** The first key of a part. */
export const startOf = (part: number): number => part * partSize;

/** The parts of some keys, each once, in ascending order. */
export const partsOfKeys = (keys: Iterable<number>): number[] =>
  [...new Set(Array.from(keys, partOf))].sort((a, b) => a - b);

/** Keys from one to another, both included. */
export interface Span {
  from: number;
  to: number;
}

/** How many keys there are in some spans. */
export const sizeOf = (spans: readonly Span[]): number =>
  spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);

/** Whether spans are so few of all keys, up to one in `share`, that it takes less time to read them one by one. */
export const areFew = (spans: readonly Span[], first: number, last: number, share = 5): boolean =>
  sizeOf(spans) * share <= last - first + 1;

/**
 * The spans of some parts, in ascending order, and of all keys from `next` on, up to `last`: as few as there can be.
 */
export function spansOf(parts: Iterable<number>, next: number, last: number): Span[] {
  const spans: Span[] = [];
  const add = (from: number, to: number) => {
    const before = spans.at(-1);
    if (before?.to === from - 1) before.to = to;
    else if (from <= to) spans.push({ from, to });
  };
  for (const part of parts) add(startOf(part), startOf(part + 1) - 1);
  add(next, Math.max(last, next - 1));
  return spans;
}

/** Keys of the first spans that are read at once; each time twice as many. */
const firstKeys = 8 * partSize;

/** Spans as they are read one after the other until enough is found: those on one side of a key, or all. */
export function* spansInTurn(
  spans: readonly Span[],
  descending: boolean,
  behind?: number,
): Generator<Span[]> {
  const ordered = descending ? spans.toReversed() : spans;
  const left = ordered.map(({ from, to }) =>
    behind === undefined
      ? { from, to }
      : descending
      ? { from, to: Math.min(to, behind - 1) }
      : { from: Math.max(from, behind + 1), to }
  ).filter(({ from, to }) => from <= to);
  let turn: Span[] = [];
  let room = firstKeys;
  for (let most = firstKeys; left.length > 0;) {
    const { from, to } = left.shift()!;
    const fits = Math.min(room, to - from + 1);
    const [taken, rest] = descending
      ? [{ from: to - fits + 1, to }, { from, to: to - fits }]
      : [{ from, to: from + fits - 1 }, { from: from + fits, to }];
    turn.push(taken);
    room -= fits;
    if (rest.from <= rest.to) left.unshift(rest);
    if (room > 0 && left.length > 0) continue;
    yield turn;
    turn = [];
    room = most *= 2;
  }
}
