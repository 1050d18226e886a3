/** What is kept of a command's output: the first and the last part, as text. Pure functions. */

import {
  concatenate,
  type OutputDecoder,
  utf8Decoder,
  withoutHalfEnd,
  withoutHalfStart,
} from "./output_text.ts";

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
export function boundedText(ends: Ends, limit: number, decoder = utf8Decoder): string {
  if (ends.omitted === 0) {
    const printed = concatenate(ends.head, ends.tail);
    const text = decoder.decode(printed);
    if (text.length * 3 <= limit) return text;
    const bytes = encoder.encode(text);
    if (bytes.length <= limit) return text;
    return marked(bytes, bytes, printed.length + growth(printed, bytes, decoder), limit);
  }
  // Replacing what is not a character may have made each part longer than it was.
  const total = ends.head.length + ends.omitted + ends.tail.length;
  const head = encoder.encode(decoder.decode(ends.head, "end"));
  const tail = encoder.encode(decoder.decode(ends.tail, "start"));
  const grown = growth(ends.head, head, decoder) + growth(ends.tail, tail, decoder);
  return marked(head, tail, total + grown, limit);
}

/** Bytes by which a text is longer than what was printed where that was in a code page: the mark counts those of UTF-8. */
const growth = (printed: Uint8Array, text: Uint8Array, decoder: OutputDecoder) =>
  decoder === utf8Decoder ? 0 : Math.max(0, text.length - printed.length);

/** The first part of `first`, a mark, and the last part of `last`; both are valid UTF-8. */
function marked(first: Uint8Array, last: Uint8Array, total: number, limit: number): string {
  const length = partLength(limit);
  const head = withoutHalfEnd(first.subarray(0, length));
  const tail = withoutHalfStart(last.subarray(Math.max(0, last.length - length)));
  const omitted = Math.max(0, total - head.length - tail.length);
  const { decode } = utf8Decoder;
  return `${decode(head)}\n[... ${omitted} bytes left out ...]\n${decode(tail)}`;
}

/** The last `length` bytes of two pieces that follow each other. */
export function lastBytes(first: Uint8Array, second: Uint8Array, length: number): Uint8Array {
  if (second.length >= length) return second.subarray(second.length - length);
  return concatenate(first.subarray(Math.max(0, first.length - (length - second.length))), second);
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
