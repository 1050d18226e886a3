/**
 * What commands print, as text: UTF-8, and on Windows also lines in the code page of its console. What is not a
 * character becomes U+FFFD, and so does NUL, which neither store takes. Pure.
 */

/** Makes text of what was printed. */
export interface OutputDecoder {
  /** With `cut` a character may be cut through at that side: what is left of it is left out. */
  decode(bytes: Uint8Array, cut?: "start" | "end"): string;
  /** For an output that comes piece by piece. */
  stream(): StreamDecoder;
}

/** Makes text of pieces that follow each other; keeps what has to wait for the next one. */
export interface StreamDecoder {
  push(bytes: Uint8Array): string;
  /** What was kept; nothing follows it. */
  end(): string;
  /** By how many bytes the text is longer, as UTF-8, than what was printed, because that was in a code page. */
  readonly grown: number;
}

// A byte order mark is what the command printed, like everything else.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

const withoutNul = (text: string) => text.replaceAll("\0", "\uFFFD");

/** All is UTF-8. */
export const utf8Decoder: OutputDecoder = {
  decode: (bytes, cut) => withoutNul(utf8.decode(withoutHalf(bytes, cut))),
  stream() {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (bytes) => withoutNul(decoder.decode(bytes, { stream: true })),
      end: () => withoutNul(decoder.decode()),
      grown: 0,
    };
  },
};

/** Makes text of bytes in a code page; what is not a character becomes U+FFFD. */
export type CodePage = (bytes: Uint8Array) => string;

/** Bytes of a line without an end that are kept until it is known whether all of it is UTF-8. */
const longestLine = 64 * 1024;

/**
 * A line that is valid UTF-8 is that, any other one is in the code page: programs choose for themselves. Lines end with
 * LF, CR or both, which are never a part of another character.
 */
export function lineDecoder(codePage: CodePage): OutputDecoder {
  const decoded = (bytes: Uint8Array, cut?: "start" | "end") => withoutNul(lines(bytes, codePage, cut));
  return {
    decode: decoded,
    stream() {
      let held: Uint8Array = new Uint8Array();
      let grown = 0;
      function take(bytes: Uint8Array): string {
        const text = decoded(bytes);
        grown += encoder.encode(text).length - bytes.length;
        return text;
      }
      return {
        push(bytes) {
          const all = concatenate(held, bytes);
          let known = 1 + Math.max(all.lastIndexOf(lf), all.lastIndexOf(cr));
          // ASCII is the same in all of them, so that a line without an end, as a progress bar draws it, is not kept.
          while (known < all.length && all[known] < 0x80) known++;
          if (all.length - known > longestLine) known = withoutHalfEnd(all).length;
          held = all.slice(known);
          return take(all.subarray(0, known));
        },
        end() {
          const text = take(held);
          held = new Uint8Array();
          return text;
        },
        get grown() {
          return grown;
        },
      };
    },
  };
}

const [lf, cr] = [10, 13];

function lines(bytes: Uint8Array, codePage: CodePage, cut?: "start" | "end"): string {
  // Most often all of it is UTF-8.
  const whole = asUtf8(withoutHalf(bytes, cut));
  if (whole !== null) return whole;
  let text = "";
  for (let start = 0, end; start < bytes.length; start = end) {
    end = lineEnd(bytes, start);
    const line = bytes.subarray(start, end);
    const isCut = cut === "start" ? start === 0 : end === bytes.length;
    text += lineText(line, codePage, isCut ? cut : undefined);
  }
  return text;
}

/** Where the line that begins at `start` is over. */
function lineEnd(bytes: Uint8Array, start: number): number {
  for (let index = start; index < bytes.length; index++) {
    if (bytes[index] === lf || bytes[index] === cr && bytes[index + 1] !== lf) return index + 1;
  }
  return bytes.length;
}

function lineText(line: Uint8Array, codePage: CodePage, cut?: "start" | "end"): string {
  const text = asUtf8(withoutHalf(line, cut));
  if (text !== null) return text;
  const whole = codePage(line);
  if (cut === "end") return whole.replace(/\uFFFD$/, "");
  if (cut === undefined) return whole;
  // Its first byte may be the second one of a character, after which the others would be read in wrong pairs.
  const others = codePage(line.subarray(1));
  return damage(others) < damage(whole) ? others : whole;
}

/** Characters of a text that were none. */
const damage = (text: string) => text.split("\uFFFD").length - 1;

/** Null where it is not valid UTF-8. */
function asUtf8(bytes: Uint8Array): string | null {
  const text = utf8.decode(bytes);
  // U+FFFD may have been printed.
  return !text.includes("\uFFFD") || isSame(encoder.encode(text), bytes) ? text : null;
}

const isSame = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const withoutHalf = (bytes: Uint8Array, cut?: "start" | "end") =>
  cut === undefined ? bytes : cut === "end" ? withoutHalfEnd(bytes) : withoutHalfStart(bytes);

const isContinuation = (byte: number) => (byte & 0b1100_0000) === 0b1000_0000;

/** Cuts off a character of UTF-8 at the end whose last bytes are missing. */
export function withoutHalfEnd(bytes: Uint8Array): Uint8Array {
  let start = bytes.length - 1;
  while (start >= 0 && bytes.length - start < 4 && isContinuation(bytes[start])) start--;
  if (start < 0) return bytes;
  // By its first byte: one more for each of these that it reaches.
  const expected = 1 + [0xc0, 0xe0, 0xf0].filter((least) => bytes[start] >= least).length;
  return bytes.length - start < expected ? bytes.subarray(0, start) : bytes;
}

/** Cuts off a character of UTF-8 at the start whose first bytes are missing. */
export function withoutHalfStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

/** Two pieces that follow each other, as one. */
export function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
