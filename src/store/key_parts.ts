/** Parts of the keys of jobs, which the search index tells apart, and spans of keys made of such parts. Pure. */

/** Keys in a part. */
export const partSize = 1024;

export const partOf = (key: number): number => Math.floor(key / partSize);

/** The first key of a part. */
export const startOf = (part: number): number => part * partSize;

/** The first and the last key of a part. */
export const keysOf = (part: number): [number, number] => [startOf(part), startOf(part + 1) - 1];

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

/** Whether to ask of each part of some keys if a text can be there takes less time than to read `size` jobs. */
export const isWorthALook = (size: number, { from, to }: Span): boolean =>
  to - from >= partSize && size * 100 > to - from;

/** Whether spans are so few of all keys, up to one in `share`, that it takes less time to read them one by one. */
export const areFew = (spans: readonly Span[], { from, to }: Span, share = 5): boolean =>
  sizeOf(spans) * share <= to - from + 1;

/** The spans of some parts, in ascending order, and of all keys from `next` on, as far as they are in another one. */
export function spansOf(parts: Iterable<number>, next: number, all: Span): Span[] {
  const spans: Span[] = [];
  const add = (from: number, to: number) => {
    const before = spans.at(-1);
    if (before?.to === from - 1) before.to = to;
    else if (from <= to) spans.push({ from, to });
  };
  for (const part of parts) add(startOf(part), startOf(part + 1) - 1);
  add(next, Math.max(all.to, next - 1));
  return within(spans, all);
}

/** What of some spans is in another one. */
export const within = (spans: readonly Span[], { from, to }: Span): Span[] =>
  spans.map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter(({ from, to }) => from <= to);

/** Keys of the first spans that are read at once; each time twice as many. */
const firstKeys = 8 * partSize;

/** Spans as they are read one after the other until enough is found: those on one side of a key, or all. */
export function* spansInTurn(
  spans: readonly Span[],
  descending: boolean,
  behind?: number,
): Generator<Span[]> {
  const ahead = behind === undefined
    ? [...spans]
    : descending
    ? within(spans, { from: 0, to: behind - 1 })
    : within(spans, { from: behind + 1, to: Infinity });
  const left = descending ? ahead.reverse() : ahead;
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
