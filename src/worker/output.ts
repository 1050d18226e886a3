/** What is kept of a command's output: the first and the last part, as text. Pure functions. */

// A byte order mark is what the command printed, like everything else.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** The beginning and the end of a stream of bytes, and how many bytes lie between them. */
export interface Ends {
  head: Uint8Array;
  /** Bytes between `head` and `tail` that are not here. */
  omitted: number;
  tail: Uint8Array;
}

/** Bytes of the first and of the last part when the whole is over `limit`; the rest is for the mark. */
export function partLength(limit: number): number {
  return Math.max(0, Math.floor((limit - 64) / 2));
}

/** The longest piece in which a running command's output is kept. */
const longestPiece = 16 * 1024;

/**
 * Which bytes of a growing output are kept while it grows: those before `head`, and those from `tailFrom` on, together
 * never over `limit`. They are kept in pieces that begin at multiples of `size`, and so do both bounds.
 */
export function keptParts(
  limit: number,
  printed: number,
): { head: number; size: number; tailFrom: number } {
  const length = partLength(limit);
  const size = Math.max(1, Math.min(longestPiece, Math.floor(length / 4)));
  const head = Math.floor(length / size) * size;
  const tailFrom = Math.max(head, Math.ceil((printed - length) / size) * size);
  return { head, size, tailFrom };
}

/**
 * The ends of an output of which pieces are kept, in the order of their positions; they may overlap. What is between its
 * beginning and the last pieces that follow each other counts as left out.
 */
export function endsOfPieces(pieces: ReadonlyArray<{ position: number; content: Uint8Array }>): Ends {
  const stretches: Array<{ position: number; end: number; contents: Uint8Array[] }> = [];
  for (const { position, content } of pieces) {
    const last = stretches.at(-1);
    if (!last || position > last.end) {
      stretches.push({ position, end: position + content.length, contents: [content] });
    } else if (position + content.length > last.end) {
      last.contents.push(content.subarray(last.end - position));
      last.end = position + content.length;
    }
  }
  const [first, last] = [stretches.at(0), stretches.at(-1)];
  const joined = (stretch = first) => (stretch?.contents ?? []).reduce(concatenate, new Uint8Array());
  const head = first?.position === 0 ? joined(first) : new Uint8Array();
  if (!last || last === first && first.position === 0) return { head, omitted: 0, tail: new Uint8Array() };
  return { head, omitted: last.position - head.length, tail: joined(last) };
}

/**
 * The text to store: all of it up to `limit` bytes (UTF-8), else the first and the last part with a mark between that
 * says how many bytes were left out. Always valid UTF-8 without NUL (neither store takes it), never over the limit:
 * what is not a character becomes U+FFFD.
 */
export function boundedText(ends: Ends, limit: number): string {
  if (ends.omitted === 0) {
    const text = toText(concatenate(ends.head, ends.tail));
    if (text.length * 3 <= limit) return text;
    const bytes = encoder.encode(text);
    if (bytes.length <= limit) return text;
    return marked(bytes, bytes, ends.head.length + ends.tail.length, limit);
  }
  // Replacing what is not a character may have made each part longer than it was.
  const total = ends.head.length + ends.omitted + ends.tail.length;
  const head = toText(withoutHalfEnd(ends.head));
  const tail = toText(withoutHalfStart(ends.tail));
  return marked(encoder.encode(head), encoder.encode(tail), total, limit);
}

/** The first part of `first`, a mark, and the last part of `last`; both are valid UTF-8 but for their cut ends. */
function marked(first: Uint8Array, last: Uint8Array, total: number, limit: number): string {
  const length = partLength(limit);
  const head = withoutHalfEnd(first.subarray(0, length));
  const tail = withoutHalfStart(last.subarray(Math.max(0, last.length - length)));
  const omitted = Math.max(0, total - head.length - tail.length);
  return `${decoder.decode(head)}\n[... ${omitted} bytes left out ...]\n${decoder.decode(tail)}`;
}

function toText(bytes: Uint8Array): string {
  return decoder.decode(bytes).replaceAll("\0", "\uFFFD");
}

const isContinuation = (byte: number) => (byte & 0b1100_0000) === 0b1000_0000;

/** Cuts off a character at the end whose last bytes are missing. */
function withoutHalfEnd(bytes: Uint8Array): Uint8Array {
  let start = bytes.length - 1;
  while (start >= 0 && bytes.length - start < 4 && isContinuation(bytes[start])) start--;
  if (start < 0) return bytes;
  const lead = bytes[start];
  const expected = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return bytes.length - start < expected ? bytes.subarray(0, start) : bytes;
}

/** Cuts off a character at the start whose first bytes are missing. */
function withoutHalfStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

/** The last `length` bytes of two pieces that follow each other. */
export function lastBytes(first: Uint8Array, second: Uint8Array, length: number): Uint8Array {
  if (second.length >= length) return second.subarray(second.length - length);
  return concatenate(first.subarray(Math.max(0, first.length - (length - second.length))), second);
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** The ends of which {@link boundedText} has made a text, as bytes; of several marks in it that in the middle counts. */
export function endsOfText(text: string): Ends {
  const marks = [...text.matchAll(/\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/g)];
  const offset = ({ index, 0: { length } }: RegExpMatchArray) => Math.abs(2 * index! + length - text.length);
  const [middle] = marks.sort((a, b) => offset(a) - offset(b));
  if (!middle) return { head: encoder.encode(text), omitted: 0, tail: new Uint8Array() };
  return {
    head: encoder.encode(text.slice(0, middle.index)),
    omitted: Number(middle[1]),
    tail: encoder.encode(text.slice(middle.index + middle[0].length)),
  };
}
